//! Guards about this host: files and keys.

use super::situation::*;
use binlogsh::world::GuardName::*;

#[test]
fn exists_shows_both_timestamps() {
    let there = Situation::sample("empty").first("generate_meta(#{ ts: 400962745252184065 })");
    let call = "generate_meta(#{$ ts: 405197570529820673 })";
    there.refuses(call, &[Exists], &[]).says(&[
        "write binlog_position/savepoint",
        "it says 400962745252184065 (2018-",
        "and 405197570529820673 (2018-",
    ]);
    there.allows(r#"generate_meta(#{$ data_dir: "elsewhere" })"#);
}

#[test]
fn public_key_says_that_it_protects_nothing() {
    let call = r#"encrypt("secret", #{$})"#;
    let without = Situation::sample("empty");
    without.refuses(call, &[PublicKey], &[]).says(&["BINLOG_SECRET_KEY is not set", "anybody can decrypt"]);
    without.with_own_key().allows(call);
}
