#![expect(clippy::disallowed_methods, reason = "writes the files that are read")]

use super::*;
use std::path::Path;

/// A configuration file in a directory of its own.
struct Written {
    dir: tempfile::TempDir,
}

impl Written {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), text).unwrap();
        Self { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("config.toml")
    }

    fn load(&self, flags: Overrides, env: &[(&str, &str)]) -> Result<ProfileSettings> {
        let flags = Overrides { config: Some(self.path()), ..flags };
        load(&flags, &|name| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    /// The error, without the directory, and its hint.
    fn fails(&self) -> (String, Option<String>) {
        let error = self.load(Overrides::default(), &[]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        (error.message.replace(&format!("{}/", self.dir.path().display()), ""), error.hint)
    }
}

const FILE: &str = r#"
default-profile = "test"

[profiles.test]
pd-urls = "http://10.0.0.1:2379, http://10.0.0.2:2379/"

[profiles.live]
pd-urls = ["https://pd-0:2379", "https://[::1]:2379"]
ca = "tls/ca.pem"
cert = "/etc/binlog/cert.pem"
key = "tls/key.pem"
production = true
output = "vertical"
timestamps = "text"
timeout = 2.5
wait-lock = "10m"
"#;

#[test]
fn without_anything_the_defaults_hold() {
    let settings = Written::new("").load(Overrides::default(), &[("BINLOGSH_OUTPUT", "")]).unwrap();
    let expected = ProfileSettings {
        pd_urls: vec!["http://127.0.0.1:2379".into()],
        deployment: None,
        node_control: None,
        unread: None,
        is_default: true,
        ca: None,
        cert: None,
        key: None,
        key_password: KeyPassword::default(),
        proxy: None,
        addresses: AddressMap::default(),
        profile: None,
        is_of_profile: false,
        production: false,
        clusters: Vec::new(),
        output: Format::Table,
        timestamps: Timestamps::Number,
        pager: true,
        timeout: Duration::from_secs(5),
        wait_lock: None,
        downstreams: Downstreams::default(),
    };
    assert_eq!(settings, expected);
}

#[test]
fn a_profile_says_everything_and_its_paths_are_relative_to_the_file() {
    let file = Written::new(FILE);
    let flags = Overrides { profile: Some("live".into()), ..Overrides::default() };
    let settings = file.load(flags, &[("BINLOGSH_PROFILE", "test")]).unwrap();
    assert_eq!(settings.pd_urls, ["https://pd-0:2379", "https://[::1]:2379"]);
    assert_eq!(settings.ca.unwrap(), file.dir.path().join("tls/ca.pem"));
    assert_eq!(settings.cert.unwrap(), Path::new("/etc/binlog/cert.pem"));
    assert!(settings.production);
    assert_eq!((settings.output, settings.timeout), (Format::Vertical, Duration::from_millis(2500)));
    assert_eq!(settings.wait_lock, Some(Duration::from_secs(600)));
    assert_eq!(settings.timestamps, Timestamps::Text);
}

#[test]
fn flag_before_environment_before_profile_before_default() {
    let file = Written::new(FILE);
    let env = [("BINLOGSH_PROFILE", "live"), ("BINLOGSH_PD_URLS", "http://env:1"), ("BINLOGSH_TIMEOUT", "3s")];
    let by_profile = file.load(Overrides::default(), &[]).unwrap();
    assert_eq!(by_profile.profile.as_deref(), Some("test"));
    assert_eq!(by_profile.pd_urls, ["http://10.0.0.1:2379", "http://10.0.0.2:2379"]);
    let by_env = file.load(Overrides::default(), &env).unwrap();
    assert_eq!((by_env.pd_urls[0].as_str(), by_env.timeout), ("http://env:1", Duration::from_secs(3)));
    assert_eq!(by_env.output, Format::Vertical);
    let flags = Overrides {
        pd_urls: Some("http://flag:1".into()),
        timeout: Some("400ms".into()),
        output: Some(Format::Csv),
        ..Overrides::default()
    };
    let by_flag = file.load(flags, &env).unwrap();
    assert_eq!((by_flag.pd_urls[0].as_str(), by_flag.timeout), ("http://flag:1", Duration::from_millis(400)));
    assert_eq!(by_flag.output, Format::Csv);
    assert!(by_flag.production, "the profile still says what it is");
}

#[test]
fn an_unknown_key_is_an_error_with_its_line_and_the_nearest_name() {
    let (message, hint) = Written::new("[profiles.live]\nca = \"x\"\nprodution = true\n").fails();
    assert_eq!(message, "config.toml:3: profile `live` has no key `prodution`");
    assert_eq!(hint.unwrap(), "did you mean `production`?");
    let (message, _) = Written::new("\n\nprofile = 3\n").fails();
    assert_eq!(message, "config.toml:3: config.toml has no key `profile`");
}

#[test]
fn a_wrong_type_or_value_is_an_error_with_its_line() {
    let fails = |line: &str| Written::new(&format!("[profiles.live]\n{line}\n")).fails().0;
    assert_eq!(fails("production = \"yes\""), "config.toml:2: `production` takes true or false, not string");
    assert_eq!(fails("pd-urls = [1]"), "config.toml:2: `pd-urls` takes text, or a list of texts, not array");
    assert_eq!(fails("timeout = \"11s\""), "config.toml:2: `11s` is no time to wait for an answer");
    assert_eq!(fails("timeout = 0"), "config.toml:2: `0` is no time to wait for an answer");
    assert_eq!(fails("output = \"jsn\""), "config.toml:2: `jsn` is no output format");
    assert_eq!(
        fails("pd-urls = \"tcp://pd-0:2379\""),
        "config.toml:2: `tcp://pd-0:2379` is no address of PD: it does not begin with http:// or https://"
    );
    assert!(fails("production =").starts_with("config.toml:2: not TOML: "));
}

#[test]
fn an_unknown_profile_names_the_nearest() {
    let file = Written::new(FILE);
    let flags = Overrides { profile: Some("lve".into()), ..Overrides::default() };
    let error = file.load(flags, &[]).unwrap_err();
    assert_eq!(error.hint.unwrap(), "did you mean `live`?");
    let (message, hint) = Written::new("default-profile = \"tset\"\n[profiles.test]\n").fails();
    assert_eq!(message, "config.toml: `default-profile` names `tset`, which is not there");
    assert_eq!(hint.unwrap(), "did you mean `test`?");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let flags = Overrides { config: Some("/nowhere/config.toml".into()), ..Overrides::default() };
    let error = load(&flags, &|_| None).unwrap_err();
    assert_eq!(error.message, "there is no configuration file /nowhere/config.toml");
}

#[test]
fn half_of_tls_is_an_error_wherever_the_halves_come_from() {
    let file = Written::new("[profiles.live]\ncert = \"c.pem\"\n");
    let flags = |key: Option<&str>| Overrides {
        profile: Some("live".into()),
        key: key.map(PathBuf::from),
        ..Overrides::default()
    };
    assert!(file.load(flags(None), &[]).unwrap_err().message.contains("without its key"));
    assert!(file.load(flags(Some("k")), &[]).unwrap_err().message.contains("(ca)"));
    assert!(file.load(flags(Some("k")), &[("BINLOGSH_CA", "ca.pem")]).is_ok());
}

#[test]
fn an_address_without_a_scheme_is_plain_http() {
    assert_eq!(pd_urls("pd-0:2379, https://pd-1:2379/").unwrap(), ["http://pd-0:2379", "https://pd-1:2379"]);
}

/// A home of tiup in which clusters have these texts as their `meta.yaml`.
fn tiup(clusters: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in clusters {
        let dir = home.path().join("storage/cluster/clusters").join(name);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("meta.yaml"), text).unwrap();
    }
    home
}

const PLAIN: &str = "topology:\n  pd_servers:\n  - host: plain\n";
const SECURE: &str = "topology:\n  global: {enable_tls: true}\n  pd_servers:\n  - host: secure\n";

#[test]
fn a_cluster_of_tiup_is_one_whole_thing_that_stands_where_its_name_does() {
    let home = tiup(&[("plain", PLAIN), ("secure", SECURE)]);
    let file =
        Written::new("[profiles.own]\npd-urls = \"own:1\"\nca = \"own.pem\"\n[profiles.tiups]\ncluster = \"secure\"\n");
    let at = home.path().display().to_string();
    let load = |cluster: Option<&str>, profile: Option<&str>, urls: Option<&str>, env: &[(&str, &str)]| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let flags =
            Overrides { cluster: text(cluster), profile: text(profile), pd_urls: text(urls), ..Overrides::default() };
        let settings = file.load(flags, &[&[("TIUP_HOME", at.as_str())], env].concat()).unwrap();
        let deployment = settings.deployment.map(|deployment| deployment.name);
        (
            settings.pd_urls[0].clone(),
            settings.ca.map(|ca| ca.ends_with("tls/ca.crt")),
            deployment,
            settings.is_of_profile,
        )
    };
    let of = |url: &str, tls, name: Option<&str>, is_of_profile| {
        (url.to_owned(), tls, name.map(str::to_owned), is_of_profile)
    };
    let (plain, secure) = (Some("plain"), Some("secure"));
    assert_eq!(load(plain, None, None, &[]), of("http://plain:2379", None, plain, false));
    assert_eq!(load(secure, None, None, &[]), of("https://secure:2379", Some(true), secure, false));
    assert_eq!(load(None, Some("tiups"), None, &[]), of("https://secure:2379", Some(true), secure, true));
    assert_eq!(load(None, None, None, &[("BINLOGSH_CLUSTER", "plain")]), of("http://plain:2379", None, plain, false));
    // A profile's certificates are for the profile's cluster.
    assert_eq!(load(plain, Some("own"), None, &[]), of("http://plain:2379", None, plain, false));
    assert_eq!(
        load(plain, None, None, &[("BINLOGSH_PD_URLS", "env:1"), ("BINLOGSH_CA", "x")]),
        of("http://plain:2379", None, plain, false)
    );
    // Addresses beside the name are another way to the same cluster; those before it are another cluster's.
    assert_eq!(load(secure, None, Some("https://door:1"), &[]), of("https://door:1", Some(true), secure, false));
    assert_eq!(load(None, Some("tiups"), Some("https://other:1"), &[]), of("https://other:1", Some(true), None, false));
    assert_eq!(
        load(None, Some("tiups"), Some("https://SECURE:2379"), &[]),
        of("https://SECURE:2379", Some(true), secure, true)
    );
}

#[test]
fn a_cluster_that_cannot_be_found_fails_whoever_goes_there_and_nobody_else() {
    let home = tiup(&[("plain", PLAIN), ("broken", "topology:\n")]);
    let file = Written::new("default-profile = \"p\"\n[profiles.p]\ncluster = \"broken\"\nproduction = true\n");
    let at = home.path().display().to_string();
    let load = |flags: Overrides| file.load(flags, &[("TIUP_HOME", &at)]);
    let settings = load(Overrides::default()).unwrap();
    assert!(settings.unread.unwrap().message.contains("meta.yaml:1: `topology` is missing"));
    assert!(settings.pd_urls.is_empty() && settings.clusters[0].unread && settings.clusters[0].pd_urls.is_empty());
    // Whoever says where PD is needs no file of tiup.
    let flags = Overrides { pd_urls: Some("pd:1".into()), ..Overrides::default() };
    assert_eq!(load(flags).unwrap().unread, None);
    let named = |name: &str| load(Overrides { cluster: Some(name.into()), ..Overrides::default() });
    let unread = named("plian").unwrap().unread.unwrap();
    assert_eq!(unread.hint.as_deref(), Some("did you mean `plain`?"));
    assert!(unread.message.contains(&format!("{at}/storage/cluster/clusters (from TIUP_HOME)")), "{unread}");
    for odd in ["../plain", "a/b", "..", ".", "", "pl ain", "plain\n"] {
        let error = named(odd).unwrap_err();
        assert!(error.message.contains("is no name of a cluster"), "{error}");
    }
}

#[test]
fn tiup_s_variables_say_where_it_is_and_the_component_s_own_comes_first() {
    let place = |env: &[(&str, &str)]| {
        let found = DeployedClusters::of(&|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        found.unwrap().place()
    };
    assert_eq!(place(&[("TIUP_HOME", "/t")]), "/t/storage/cluster/clusters (from TIUP_HOME)");
    let both = [("TIUP_HOME", "/t"), ("TIUP_COMPONENT_DATA_DIR", "/d")];
    assert_eq!(place(&both), "/d/clusters (from TIUP_COMPONENT_DATA_DIR)");
    assert!(place(&[("TIUP_HOME", "")]).ends_with("/.tiup/storage/cluster/clusters"));
}

#[test]
fn what_tiup_knows_by_now_is_read_where_it_was_read_before() {
    let home = tiup(&[("plain", PLAIN)]);
    let at = home.path().display().to_string();
    let tiup = DeployedClusters::of(&|name| (name == "TIUP_HOME").then(|| at.clone())).unwrap();
    let known = tiup.read("plain").unwrap();
    std::fs::write(&known.source, PLAIN.replace("host: plain", "host: moved")).unwrap();
    assert_eq!(DeployedClusters::read_again(&known).unwrap().pd_urls, ["http://moved:2379"]);
    std::fs::write(&known.source, "topology:\n").unwrap();
    assert!(DeployedClusters::read_again(&known).unwrap_err().message.contains("`topology` is missing"));
}

#[test]
fn a_proxy_and_a_map_are_of_the_cluster_that_the_profile_means() {
    let text = "default-profile = \"pods\"\n[profiles.pods]\nproxy = \"socks5://profile:1\"\n\
                [profiles.pods.addresses]\n\"{pod}.b:1\" = \"h:1{n}\"\n\"a:1\" = \"h:1\"\n";
    let file = Written::new(text);
    let proxy = |settings: &ProfileSettings| settings.proxy.as_ref().map(ToString::to_string).unwrap_or_default();
    let settings = file.load(Overrides::default(), &[]).unwrap();
    assert_eq!(proxy(&settings), "socks5://profile:1");
    assert_eq!(settings.addresses.lead("p-3.b:1"), Ok(Some("h:13".into())));
    let env = [("BINLOGSH_PROXY", "socks5://u:s3cret@env:1")];
    let settings = file.load(Overrides::default(), &env).unwrap();
    assert_eq!(proxy(&settings), "socks5://***@env:1");
    let flag = Overrides { proxy: Some(Secret::Plain("socks5://flag:1".into())), ..Overrides::default() };
    assert_eq!(proxy(&file.load(flag, &env).unwrap()), "socks5://flag:1");
    // Another cluster is reached in another way.
    let other = Overrides { cluster: Some("other".into()), ..Overrides::default() };
    let settings = file.load(other, &[("TIUP_HOME", "/nowhere")]).unwrap();
    assert!(settings.proxy.is_none() && settings.addresses.is_empty());
}

#[test]
fn a_cluster_that_is_named_twice_is_still_the_profile_s() {
    let text = "default-profile = \"pods\"\n[profiles.pods]\ncluster = \"prod\"\npd-urls = \"http://pd:1\"\n\
                proxy = \"socks5://profile:1\"\n[profiles.pods.addresses]\n\"a:1\" = \"h:1\"\n\
                [profiles.torn]\ncluster = \"prod\"\n";
    let file = Written::new(text);
    let named = |name: &str| Overrides { cluster: Some(name.into()), ..Overrides::default() };
    for (flags, env) in [
        (Overrides::default(), vec![]),
        (named("prod"), vec![]),
        (Overrides::default(), vec![("BINLOGSH_CLUSTER", "prod")]),
        // Between the two that name it.
        (named("prod"), vec![("BINLOGSH_PD_URLS", "http://elsewhere:1")]),
    ] {
        let settings = file.load(flags, &[env, vec![("TIUP_HOME", "/nowhere")]].concat()).unwrap();
        assert_eq!(settings.pd_urls, ["http://pd:1"]);
        assert!(settings.is_of_profile && settings.proxy.is_some() && !settings.addresses.is_empty());
    }
    // One that cannot be read is the profile's only by its name.
    for (name, is_its) in [("prod", true), ("other", false)] {
        let flags = Overrides { profile: Some("torn".into()), ..named(name) };
        let settings = file.load(flags, &[("TIUP_HOME", "/nowhere")]).unwrap();
        assert!(settings.unread.is_some() && settings.pd_urls.is_empty());
        assert_eq!(settings.is_of_profile, is_its, "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_map_or_a_proxy_is_told_with_its_line() {
    for (text, message) in [
        (
            "[profiles.a]\nproxy = \"socks5://u:s3cret@h\"\n",
            "config.toml:2: `socks5://***@***` is no proxy: it has no port",
        ),
        (
            "[profiles.a.addresses]\n\"z:1\" = \"h:1\"\n\"a:1\" = \"h:1\"\n",
            "config.toml:3: the address map leads both z:1 and a:1 to h:1",
        ),
        ("[profiles.a]\naddresses = 1\n", "config.toml:2: `addresses` takes a table, not integer"),
    ] {
        assert_eq!(Written::new(text).fails().0, message);
    }
}

#[test]
fn a_profile_says_what_a_drainer_writes_to_where_it_says_the_sort() {
    let text = "[profiles.p.downstreams.a]\ndb-type = \"tidb\"\nhost = \"db-1\"\nport = 4000\n\
                [profiles.p.downstreams.b]\nhost = \"db-1\"\n[profiles.p.downstreams.c]\ndb-type = \"kafka\"\nhost = \"db-1\"\n\
                [profiles.p.downstreams.d]\ndb-type = \"mysql\"\nhost = \"127.0.0.1\"\nport = 13306\n";
    let flags = Overrides { profile: Some("p".into()), ..Overrides::default() };
    let downstreams = Written::new(text).load(flags, &[]).unwrap().downstreams;
    let of = |id: &str| downstreams.drainers[id].replicates();
    let tidb = of("a").unwrap();
    assert_eq!((tidb.host.as_deref(), tidb.port), (Some("db-1"), Some(4000)));
    assert_eq!(of("b"), None, "that is where its checkpoint is, whatever it writes to");
    assert_eq!(of("c").unwrap().host, None, "Kafka's checkpoint is elsewhere");
    let tunnel = of("d").unwrap();
    assert_eq!((tunnel.db_type.as_deref(), tunnel.host, tunnel.port), (Some("mysql"), None, None));
}
