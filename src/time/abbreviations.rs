//! Abbreviations of time zones: most are those of several zones, hours apart, and none says which.

use crate::error::Error;

/// An abbreviation, and the zones that use it, each with the offset that it means there.
type Abbreviation = (&'static str, &'static [(&'static str, &'static str)]);

/// Those that people write. `GMT`, `CET`, `EET`, `WET`, `MET` and `HST` are IANA names that mean what they say.
const ABBREVIATIONS: [Abbreviation; 49] = [
    ("ACST", &[("Australia/Adelaide", "+09:30"), ("Australia/Darwin", "+09:30")]),
    ("ACT", &[("America/Rio_Branco", "-05:00"), ("Australia/Darwin", "+09:30")]),
    ("ADT", &[("America/Halifax", "-03:00")]),
    ("AEDT", &[("Australia/Sydney", "+11:00")]),
    ("AEST", &[("Australia/Sydney", "+10:00"), ("Australia/Brisbane", "+10:00")]),
    ("AMT", &[("America/Manaus", "-04:00"), ("Asia/Yerevan", "+04:00")]),
    ("AST", &[("America/Halifax", "-04:00"), ("America/Puerto_Rico", "-04:00"), ("Asia/Riyadh", "+03:00")]),
    ("AWST", &[("Australia/Perth", "+08:00")]),
    ("BRT", &[("America/Sao_Paulo", "-03:00")]),
    ("BST", &[("Europe/London", "+01:00"), ("Asia/Dhaka", "+06:00"), ("Pacific/Bougainville", "+11:00")]),
    ("CAT", &[("Africa/Maputo", "+02:00")]),
    ("CDT", &[("America/Chicago", "-05:00"), ("America/Havana", "-04:00")]),
    ("CEST", &[("Europe/Berlin", "+02:00")]),
    ("CLT", &[("America/Santiago", "-04:00")]),
    ("COT", &[("America/Bogota", "-05:00")]),
    ("CST", &[("Asia/Shanghai", "+08:00"), ("America/Chicago", "-06:00"), ("America/Havana", "-05:00")]),
    ("EAT", &[("Africa/Nairobi", "+03:00")]),
    ("ECT", &[("America/Guayaquil", "-05:00"), ("America/Puerto_Rico", "-04:00")]),
    ("EDT", &[("America/New_York", "-04:00")]),
    ("EEST", &[("Europe/Helsinki", "+03:00")]),
    (
        "EST",
        &[
            ("America/New_York", "-05:00, in summer -04:00"),
            ("America/Panama", "-05:00 all the year"),
            ("Australia/Sydney", "+10:00"),
        ],
    ),
    ("GST", &[("Asia/Dubai", "+04:00"), ("Atlantic/South_Georgia", "-02:00"), ("Pacific/Guam", "+10:00")]),
    ("HKT", &[("Asia/Hong_Kong", "+08:00")]),
    ("ICT", &[("Asia/Bangkok", "+07:00")]),
    ("IDT", &[("Asia/Jerusalem", "+03:00")]),
    ("IST", &[("Asia/Kolkata", "+05:30"), ("Europe/Dublin", "+01:00"), ("Asia/Jerusalem", "+02:00")]),
    ("JST", &[("Asia/Tokyo", "+09:00")]),
    ("KST", &[("Asia/Seoul", "+09:00")]),
    ("MDT", &[("America/Denver", "-06:00")]),
    ("MSK", &[("Europe/Moscow", "+03:00")]),
    (
        "MST",
        &[
            ("America/Denver", "-07:00, in summer -06:00"),
            ("America/Phoenix", "-07:00 all the year"),
            ("Asia/Kuala_Lumpur", "+08:00"),
        ],
    ),
    ("MYT", &[("Asia/Kuala_Lumpur", "+08:00")]),
    ("NST", &[("America/St_Johns", "-03:30")]),
    ("NZDT", &[("Pacific/Auckland", "+13:00")]),
    ("NZST", &[("Pacific/Auckland", "+12:00")]),
    ("PDT", &[("America/Los_Angeles", "-07:00")]),
    ("PET", &[("America/Lima", "-05:00")]),
    ("PHT", &[("Asia/Manila", "+08:00")]),
    ("PKT", &[("Asia/Karachi", "+05:00")]),
    ("PST", &[("America/Los_Angeles", "-08:00"), ("Asia/Manila", "+08:00"), ("Pacific/Pitcairn", "-08:00")]),
    ("SAST", &[("Africa/Johannesburg", "+02:00")]),
    ("SGT", &[("Asia/Singapore", "+08:00")]),
    ("SST", &[("Pacific/Pago_Pago", "-11:00"), ("Asia/Singapore", "+08:00")]),
    ("TRT", &[("Europe/Istanbul", "+03:00")]),
    ("WAT", &[("Africa/Lagos", "+01:00")]),
    ("WEST", &[("Europe/Lisbon", "+01:00")]),
    ("WIB", &[("Asia/Jakarta", "+07:00")]),
    ("WST", &[("Australia/Perth", "+08:00"), ("Pacific/Apia", "+13:00")]),
    ("YST", &[("America/Anchorage", "-09:00")]),
];

/// Why `name` names no zone, if it is an abbreviation or an offset.
pub(super) fn refused(name: &str) -> Option<Error> {
    if name.starts_with(['+', '-']) && super::offset(name).is_some() {
        return Some(Error::invalid(format!("`{name}` is an offset, and no time zone")).hint(
            "an offset stands behind a time, as in `2026-11-22 13:32:53 +0800`; of the zone give its IANA name",
        ));
    }
    let (_, zones) = ABBREVIATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let all: Vec<String> = zones.iter().map(|(zone, offset)| format!("{zone} ({offset})")).collect();
    let names: Vec<String> = zones.iter().map(|(zone, _)| format!("`{zone}`")).collect();
    let (what, hint) = match all.as_slice() {
        [one] => (
            format!("an abbreviation, and no name of a time zone: it is that of {one}"),
            format!("give {}", names.join("")),
        ),
        several => (format!("several time zones: {}", several.join(", ")), format!("give one of {}", names.join(", "))),
    };
    Some(Error::invalid(format!("`{name}` is {what}")).hint(hint))
}

#[cfg(test)]
mod tests {
    use crate::time::Zone;

    #[test]
    fn an_abbreviation_of_several_zones_is_refused_with_their_names() {
        for (name, zones) in [
            ("CST", &["Asia/Shanghai (+08:00)", "America/Chicago (-06:00)", "America/Havana"][..]),
            ("cst", &["Asia/Shanghai"]),
            ("IST", &["Asia/Kolkata (+05:30)", "Europe/Dublin", "Asia/Jerusalem"]),
            ("BST", &["Europe/London", "Asia/Dhaka"]),
            ("EST", &["America/New_York (-05:00, in summer -04:00)", "America/Panama"]),
            ("MST", &["America/Denver", "America/Phoenix"]),
            ("AST", &["America/Halifax", "Asia/Riyadh"]),
            ("PST", &["America/Los_Angeles", "Asia/Manila"]),
            ("JST", &["Asia/Tokyo"]),
        ] {
            let error = Zone::from_name(name).unwrap_err();
            for zone in zones {
                assert!(error.message.contains(zone), "{name}: {error}");
            }
            assert!(error.hint.unwrap().starts_with("give "), "{name}");
        }
        assert!(Zone::from_name("+08:00").unwrap_err().message.contains("an offset"));
    }

    #[test]
    fn every_zone_that_is_named_is_one() {
        for (name, zones) in super::ABBREVIATIONS {
            for (zone, _) in zones {
                assert!(Zone::from_name(zone).is_ok(), "{name}: {zone}");
            }
        }
        assert!(super::ABBREVIATIONS.is_sorted_by_key(|(name, _)| *name));
        for name in ["UTC", "GMT", "CET", "EET", "PRC", "Etc/GMT-8", "EST5EDT"] {
            assert!(Zone::from_name(name).is_ok(), "{name}");
        }
    }
}
