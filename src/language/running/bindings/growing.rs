//! Functions of Rhai's that can take much memory in one step, in the place of Rhai's own: these ask first whether there is room.
//!
//! What is not here at most doubles or triples what a script holds already, and the next step of evaluation sees it.

use crate::language::running::bindings::CallResult;
use crate::language::running::host::Host;
use rhai::{Array, Dynamic, Engine, EvalAltResult, INT, ImmutableString, Map, NativeCallContext};
use std::rc::Rc;

/// What Rhai's functions return that are given `&mut`.
type Grown<T> = Result<T, Box<EvalAltResult>>;

/// About what a part of a text takes as an element of an array.
const PART: usize = 64;

/// About how much longer than a text of JSON the values are that it stands for, and what Rhai parses them by.
const PARSED: usize = 32;

/// Registers them.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
    padding(engine, host);
    replacing(engine, host);
    splitting(engine, host);
    writing(engine, host);
    let room = Rc::clone(host);
    engine.register_fn("parse_json", move |context: NativeCallContext<'_>, json: ImmutableString| -> CallResult {
        room.room_for(json.len().saturating_mul(PARSED))?;
        context.engine().parse_json(json.as_str(), true).map(Dynamic::from)
    });
}

fn length(given: INT) -> usize {
    usize::try_from(given).unwrap_or(0)
}

/// As long as the script says: `pad`.
fn padding(engine: &mut Engine, host: &Rc<Host>) {
    let room = Rc::clone(host);
    engine.register_fn("pad", move |array: &mut Array, len: INT, item: Dynamic| -> Grown<()> {
        let more = length(len).saturating_sub(array.len());
        room.room_to_copy(&item, more)?;
        array.resize(array.len() + more, item);
        Ok(())
    });
    let (letter, text) = (Rc::clone(host), Rc::clone(host));
    engine.register_fn("pad", move |padded: &mut ImmutableString, len: INT, with: char| {
        pad(&letter, padded, len, &String::from(with))
    });
    engine.register_fn("pad", move |padded: &mut ImmutableString, len: INT, with: ImmutableString| {
        pad(&text, padded, len, &with)
    });
}

fn pad(host: &Host, text: &mut ImmutableString, len: INT, with: &str) -> Grown<()> {
    let more = length(len).saturating_sub(text.chars().count());
    if with.is_empty() || more == 0 {
        return Ok(());
    }
    host.room_for(more.saturating_mul(with.len()).saturating_mul(2))?;
    let letters = with.chars().count();
    let padding = text.make_mut();
    padding.push_str(&with.repeat(more / letters));
    padding.extend(with.chars().take(more % letters));
    Ok(())
}

/// Each of many places by a long text: `replace`.
fn replacing(engine: &mut Engine, host: &Rc<Host>) {
    let replace = |host: &Host, text: &mut ImmutableString, found: &str, by: &str| -> Grown<()> {
        host.room_for(text.len().saturating_add(text.matches(found).count().saturating_mul(by.len())))?;
        *text = text.replace(found, by).into();
        Ok(())
    };
    let [a, b, c, d] = [(); 4].map(|()| Rc::clone(host));
    engine.register_fn("replace", move |text: &mut ImmutableString, found: ImmutableString, by: ImmutableString| {
        replace(&a, text, &found, &by)
    });
    engine.register_fn("replace", move |text: &mut ImmutableString, found: ImmutableString, by: char| {
        replace(&b, text, &found, &String::from(by))
    });
    engine.register_fn("replace", move |text: &mut ImmutableString, found: char, by: ImmutableString| {
        replace(&c, text, &String::from(found), &by)
    });
    engine.register_fn("replace", move |text: &mut ImmutableString, found: char, by: char| {
        replace(&d, text, &String::from(found), &String::from(by))
    });
}

/// Many short parts of a long text.
fn splitting(engine: &mut Engine, host: &Rc<Host>) {
    for (name, from_the_end) in [("split", false), ("split_rev", true)] {
        let [a, b, c, d] = [(); 4].map(|()| Rc::clone(host));
        engine.register_fn(name, move |text: &mut ImmutableString, at: ImmutableString| {
            split(&a, text, &at, INT::MAX, from_the_end)
        });
        engine.register_fn(name, move |text: &mut ImmutableString, at: char| {
            split(&b, text, &String::from(at), INT::MAX, from_the_end)
        });
        engine.register_fn(name, move |text: &mut ImmutableString, at: ImmutableString, parts: INT| {
            split(&c, text, &at, parts, from_the_end)
        });
        engine.register_fn(name, move |text: &mut ImmutableString, at: char, parts: INT| {
            split(&d, text, &String::from(at), parts, from_the_end)
        });
    }
    let (words, letters) = (Rc::clone(host), Rc::clone(host));
    engine.register_fn("split", move |text: &mut ImmutableString| -> Grown<Array> {
        if text.is_empty() {
            return Ok(vec![text.clone().into()]);
        }
        words.room_for(text.split_whitespace().count().saturating_mul(PART))?;
        Ok(text.split_whitespace().map(Into::into).collect())
    });
    engine.register_fn("to_chars", move |text: ImmutableString| -> Grown<Array> {
        letters.room_for(text.len().saturating_mul(size_of::<Dynamic>()))?;
        Ok(text.chars().map(Into::into).collect())
    });
}

fn split(host: &Host, text: &ImmutableString, at: &str, parts: INT, from_the_end: bool) -> Grown<Array> {
    let parts = length(parts);
    if text.is_empty() || parts <= 1 {
        return Ok(vec![text.clone().into()]);
    }
    host.room_for(
        text.matches(at).count().saturating_add(1).min(parts).saturating_mul(PART).saturating_add(text.len()),
    )?;
    Ok(match from_the_end {
        false => text.splitn(parts, at).map(Into::into).collect(),
        true => text.rsplitn(parts, at).map(Into::into).collect(),
    })
}

/// Values as text: many may share one long text.
fn writing(engine: &mut Engine, host: &Rc<Host>) {
    for name in ["print", "debug", "to_string", "to_debug"] {
        let (arrays, maps) = (Rc::clone(host), Rc::clone(host));
        engine.register_fn(name, move |context: NativeCallContext<'_>, array: &mut Array| {
            written(name, arrays.room_to_write(array.iter(), 2).and_then(|()| array_text(&context, array)))
        });
        engine.register_fn(name, move |context: NativeCallContext<'_>, map: &mut Map| {
            written(name, maps.room_to_write(map.values(), 2).and_then(|()| map_text(&context, map)))
        });
    }
    let room = Rc::clone(host);
    engine.register_fn("to_json", move |map: &mut Map| -> Grown<String> {
        room.room_to_write(map.values(), 2)?;
        Ok(rhai::format_map_as_json(map))
    });
}

/// Where a value becomes part of another text, Rhai takes an error for the wish to write all of it in another way. The next step ends the
/// script anyway.
fn written(name: &str, text: Grown<String>) -> Grown<String> {
    match name {
        "to_string" | "to_debug" => Ok(text.unwrap_or_default()),
        _ => text,
    }
}

fn array_text(context: &NativeCallContext<'_>, array: &mut Array) -> Grown<String> {
    let items = array.iter_mut().map(|item| part_text(context, item)).collect::<Grown<Vec<_>>>()?;
    Ok(format!("[{}]", items.join(", ")))
}

fn map_text(context: &NativeCallContext<'_>, map: &mut Map) -> Grown<String> {
    let fields = map.iter_mut().map(|(name, field)| Ok(format!("{name:?}: {}", part_text(context, field)?)));
    Ok(format!("#{{{}}}", fields.collect::<Grown<Vec<_>>>()?.join(", ")))
}

fn part_text(context: &NativeCallContext<'_>, part: &mut Dynamic) -> Grown<ImmutableString> {
    let text = context.call_native_fn_raw("to_debug", true, &mut [part])?;
    let named = |other: Dynamic| context.engine().map_type_name(other.type_name()).into();
    Ok(text.try_cast_result().unwrap_or_else(named))
}
