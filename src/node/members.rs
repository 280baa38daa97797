//! A record's JSON object taken apart into its members without changing a byte of it, and read as Go's `encoding/json`
//! reads it into a struct, since that is what every reader of these records is written in.

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// Go reads no value that is nested deeper.
const DEEPEST: usize = 10_000;

/// A member of the object.
pub(super) struct Member<'a> {
    /// Its name; where that is no text (half a surrogate pair), as it is written.
    pub(super) name: Cow<'a, str>,
    /// Its value as it is written, without space around it.
    pub(super) value: &'a [u8],
    /// Where in the text that stands.
    pub(super) place: Range<usize>,
}

impl Member<'_> {
    /// The value in a form in which only what it says makes a difference: without space between its parts.
    pub(super) fn compact(&self) -> Vec<u8> {
        let (mut quoted, mut escaped) = (false, false);
        let says = |byte: &u8| {
            let in_text = quoted;
            match *byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => {}
            }
            in_text || !byte.is_ascii_whitespace()
        };
        self.value.iter().copied().filter(says).collect()
    }

    /// The value where it is a text, with a replacement for whatever in it is none; `None` where it is something else.
    pub(super) fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(self.value);
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        Some(if inner.contains('\\') { unescaped(inner) } else { inner.to_owned() })
    }

    /// The value where it is a whole number as Go reads one into an integer; `None` where it is something else.
    pub(super) fn integer(&self) -> Option<i64> {
        std::str::from_utf8(self.value).ok()?.parse().ok()
    }

    /// Whether the value is `null`, which leaves a field of a struct as it was.
    pub(super) fn is_null(&self) -> bool {
        self.value == b"null"
    }

    /// Whether Go takes this member for the field `field` (in ASCII): names are compared without case, by Unicode's
    /// rules, by which two letters beyond ASCII are an `s` and a `k`.
    pub(super) fn is(&self, field: &str) -> bool {
        if self.name == field {
            return true;
        }
        let folded = |letter: char| match letter {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        };
        self.name.chars().map(folded).eq(field.chars().map(|letter| letter.to_ascii_lowercase()))
    }
}

/// The members of the object `text`, in their order; none for `null`, which other readers take for an empty record.
///
/// # Errors
/// Why it is no JSON object, in words.
pub(super) fn members(text: &[u8]) -> Result<Vec<Member<'_>>, String> {
    match std::str::from_utf8(text) {
        Ok(valid) => members_of(valid, text),
        // Within texts such bytes are replaced by every reader, elsewhere they are an error as any sign is.
        Err(_) => members_of(&masked(text), text),
    }
}

/// `text` with a sign of its own for each byte that is no UTF-8, so that everything stays in its place.
fn masked(text: &[u8]) -> String {
    let mut masked = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        masked.push_str(chunk.valid());
        masked.extend(chunk.invalid().iter().map(|_| '?'));
    }
    masked
}

fn members_of<'a>(valid: &str, text: &'a [u8]) -> Result<Vec<Member<'a>>, String> {
    let raw = match serde_json::from_str::<Option<RawMembers<'_>>>(valid) {
        Ok(Some(RawMembers(raw))) => raw,
        Ok(None) => Vec::new(),
        Err(error) if error.is_data() => return Err("not a JSON object".to_owned()),
        Err(error) => return Err(format!("not JSON: {error}")),
    };
    if valid.len() > 2 * DEEPEST && depth(valid) > DEEPEST {
        return Err(format!("nested more than {DEEPEST} deep, which no reader takes"));
    }
    let place = |raw: &RawValue| {
        let start = raw.get().as_ptr().addr() - valid.as_ptr().addr();
        start..start + raw.get().len()
    };
    let member = |(name, value): (&RawValue, &RawValue)| {
        let (name, place) = (&text[place(name)], place(value));
        Member { name: name_of(name), value: &text[place.clone()], place }
    };
    Ok(raw.into_iter().map(member).collect())
}

/// What a name says that is written as `written`, in quotes.
fn name_of(written: &[u8]) -> Cow<'_, str> {
    let inner = &written[1..written.len() - 1];
    let shown = String::from_utf8_lossy(inner);
    if !inner.contains(&b'\\') {
        return shown;
    }
    serde_json::from_slice::<String>(written).map_or(shown, Cow::Owned)
}

/// How deep arrays and objects are nested in `json`.
fn depth(json: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let (mut now, mut deepest) = (0_usize, 0);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What a text of JSON says, given without its quotes; half a surrogate pair becomes a replacement, as in Go.
fn unescaped(written: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(written.len());
    let mut rest = written.chars();
    while let Some(letter) = rest.next() {
        let letter = if letter == '\\' {
            rest.next()
        } else {
            units.extend(letter.encode_utf16(&mut [0; 2]).iter());
            continue;
        };
        match letter {
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
            }
            Some('b') => units.push(8),
            Some('f') => units.push(12),
            Some('n') => units.push(10),
            Some('r') => units.push(13),
            Some('t') => units.push(9),
            Some(other) => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
            None => {}
        }
    }
    String::from_utf16_lossy(&units)
}

/// Names and values of an object, as they are written.
struct RawMembers<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collects)
    }
}

struct Collects;

impl<'de> Visitor<'de> for Collects {
    type Value = RawMembers<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::with_capacity(8);
        while let Some(member) = map.next_entry()? {
            found.push(member);
        }
        Ok(RawMembers(found))
    }
}
