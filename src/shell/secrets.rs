//! Which lines hold a secret and must not be kept.

use super::lexer::{Kind, tokens};

/// Whether `text` encrypts something that stands in it: a call of `encrypt` with an argument, or on a value.
pub(super) fn holds_secret(text: &str) -> bool {
    let all = tokens(text);
    let words: Vec<(Kind, &str)> =
        all.iter().filter(|token| token.kind != Kind::Comment).map(|token| (token.kind, token.of(text))).collect();
    words.iter().enumerate().any(|(at, (_, word))| {
        let after = |n: usize| words.get(at + n).map(|(_, word)| *word);
        let on_a_value = at > 0 && words[at - 1].1 == ".";
        let own_text = !matches!(after(2), Some(")" | "#{"));
        *word == "encrypt" && after(1) == Some("(") && (on_a_value || own_text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_encrypts_its_own_text_holds_a_secret() {
        for text in [
            "encrypt(\"pass\")",
            "let x = encrypt ( \"pass\" , #{})",
            "\"pass\".encrypt()",
            "encrypt(\n\"pass",
            "if true { encrypt(`pass`) }",
        ] {
            assert!(holds_secret(text), "{text}");
        }
        for text in [
            "encrypt()",
            "encrypt(#{ force: [] })",
            "help(\"encrypt\")",
            "// encrypt(\"x\")",
            "encrypted(1)",
            "pumps()",
        ] {
            assert!(!holds_secret(text), "{text}");
        }
    }
}
