//! Names for keys that are no text: a key in etcd is bytes, and people, scripts, journals and plans write text.
//!
//! Such a key beneath a prefix of ours is called `not-text/` and what stands behind the prefix, each byte of it that is
//! part of no text as `%` and two digits (`%FF`), and `%` as `%25`. A key that really looks like that gets a name of
//! this kind, too, so that no two keys share one. The slash sees to it that no node is ever called so.

use super::Kind;

/// What the name of a key that is no text begins with, behind the prefix.
const NOT_TEXT: &str = "not-text/";

/// The name of the key `key`.
pub fn key_name(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) if bytes_of(text).is_none() => text.to_owned(),
        Ok(_) | Err(_) => {
            let prefix = Kind::ALL.iter().map(|kind| kind.prefix()).find(|prefix| key.starts_with(prefix.as_bytes()));
            let prefix = prefix.unwrap_or_default();
            [prefix, NOT_TEXT, &escaped(&key[prefix.len()..])].concat()
        }
    }
}

/// The key called `name`.
pub fn key_called(name: &str) -> Vec<u8> {
    bytes_of(name).unwrap_or_else(|| name.as_bytes().to_vec())
}

/// The key called `name`, if it is another one than the text itself.
pub fn bytes_of(name: &str) -> Option<Vec<u8>> {
    let (kind, rest) = Kind::of_key(name)?;
    Some([kind.prefix().as_bytes(), &unescaped(rest.strip_prefix(NOT_TEXT)?)?].concat())
}

fn escaped(key: &[u8]) -> String {
    let mut name = String::with_capacity(key.len() + 8);
    for chunk in key.utf8_chunks() {
        name.push_str(&chunk.valid().replace('%', "%25"));
        name.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    name
}

/// The bytes that `name` says, if it is just as [`escaped`] writes them and says anything that way.
fn unescaped(name: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, behind @ ..] => {
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                behind
            }
            [plain, behind @ ..] => {
                bytes.push(*plain);
                behind
            }
        };
    }
    (bytes.len() < name.len() && escaped(&bytes) == name).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pump(rest: &[u8]) -> Vec<u8> {
        [Kind::Pump.prefix().as_bytes(), rest].concat()
    }

    #[test]
    fn no_two_keys_have_one_name_and_each_name_leads_back() {
        let mut keys: Vec<Vec<u8>> = ["", "pump-0", "a%FF", "a%25", "%", "%F", "not-text/", "not-text/a", "a/b", "ü"]
            .map(|id| pump(id.as_bytes()))
            .into();
        keys.extend([&b"\xff"[..], b"\xfe", b"a\xffb", b"%\xff", b"\xff%FF", b"not-text/\xff", b"\xe2\x82"].map(pump));
        // Names of names of names are keys that somebody may have written.
        for _ in 0..3 {
            let names: Vec<Vec<u8>> = keys.iter().map(|key| key_name(key).into_bytes()).collect();
            keys.extend(names);
        }
        keys.sort();
        keys.dedup();
        let mut names: Vec<String> = keys.iter().map(|key| key_name(key)).collect();
        for (key, name) in keys.iter().zip(&names) {
            assert_eq!(key_called(name), *key, "{name}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), keys.len());
    }

    #[test]
    fn what_a_node_can_be_called_is_its_own_name() {
        for id in ["pump-0", "a%FF", "%25", "not-text", "ü", "", "a\u{202e}b"] {
            assert_eq!(key_name(&pump(id.as_bytes())), format!("{}{id}", Kind::Pump.prefix()));
        }
        assert_eq!(key_name(&pump(b"a\xff%")), "/tidb-binlog/v1/pumps/not-text/a%FF%25");
    }
}
