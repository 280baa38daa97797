//! TLS with the database: what of its certificate is verified, and where a password does not go.

use super::*;
use crate::support::certs::Certs;

/// What is found with these lines in the my.cnf.
fn asks(place: &Place, schema: &str, host: &str, more: &str) -> DownstreamCheckpoint {
    let mut profile = in_table(mariadb(), schema, place.reader(more));
    if let Some(settings) = &mut profile.place {
        settings.checkpoint_host = Some(host.into());
    }
    place.asks(profile)
}

#[test]
fn its_ca_is_enough_and_another_is_not() {
    let (place, schema) = with_row();
    let (ca, other) = (mariadb().certs.ca(), Certs::new());
    for mode in ["", "ssl-mode = VERIFY_CA\n", "ssl-mode = VERIFY_IDENTITY\n"] {
        let with = |ca: &std::path::Path| format!("{mode}ssl-ca = {}", ca.display());
        known(asks(&place, &schema, "127.0.0.1", &with(&ca)));
        known(asks(&place, &schema, "localhost", &with(&ca)));
        unknown(asks(&place, &schema, "127.0.0.1", &with(&other.ca())), &["not trusted"]);
    }
    // The name counts where it is asked for: the certificate has none for this address of the loopback.
    let map = |mode: &str| format!("ssl-mode = {mode}\nssl-ca = {}", ca.display());
    let elsewhere = |mode: &str| {
        let addresses = binlogsh::address_map::AddressMap::default();
        let mut addresses = addresses;
        let target = format!("127.0.0.1:{}", mariadb().port());
        addresses.add(&format!("db.inside:{}", mariadb().port()), &target).unwrap();
        let settings = LiveSettings::new(&[place.pd.url()], None).unwrap().reached_by(addresses, None);
        let mut profile = in_table(mariadb(), &schema, place.reader(&map(mode)));
        profile.place.as_mut().unwrap().checkpoint_host = Some("db.inside".into());
        place.asks_with(settings, profile)
    };
    known(elsewhere("VERIFY_CA"));
    unknown(elsewhere("VERIFY_IDENTITY"), &["db.inside"]);
}

#[test]
fn without_a_ca_tls_is_made_where_it_is_asked_for() {
    let (place, schema) = with_row();
    for mode in ["DISABLED", "PREFERRED", "REQUIRED"] {
        known(asks(&place, &schema, "127.0.0.1", &format!("ssl-mode = {mode}")));
    }
    unknown(asks(&place, &schema, "127.0.0.1", "ssl-mode = VERIFY_CA"), &["no ssl-ca"]);
    unknown(asks(&place, &schema, "127.0.0.1", "ssl-ca = nowhere.pem"), &["nowhere.pem"]);
    let half = format!("ssl-cert = {}", mariadb().certs.client_cert().display());
    unknown(asks(&place, &schema, "127.0.0.1", &half), &["without the other"]);
    let certs = &mariadb().certs;
    let own = format!("ssl-cert = {}\nssl-key = {}", certs.client_cert().display(), certs.client_key().display());
    known(asks(&place, &schema, "127.0.0.1", &own));
}

#[test]
fn a_user_who_must_use_tls_is_let_in_by_it_alone() {
    let (place, schema) = with_row();
    let asks = |mode: &str| {
        let my_cnf = place.my_cnf(&format!("user = secured\npassword = x\nssl-mode = {mode}"));
        place.asks(in_table(mariadb(), &schema, my_cnf))
    };
    known(asks("PREFERRED"));
    known(asks("REQUIRED"));
    unknown(asks("DISABLED"), &["refuses secured"]);
}
