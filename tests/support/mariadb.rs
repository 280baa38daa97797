//! A real MariaDB, one for all tests of this process: what Drainers save in it, and users that log in to it.
//!
//! It is made anew in a temporary directory, listens on a free port, and ends with this process however that ends: whoever
//! watches over it waits for the end of a pipe that this process holds.

use super::certs::Certs;
use super::{eventually, free_port};
use mysql_common::constants::CapabilityFlags;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, ErrPacket, HandshakeResponse};
use mysql_common::proto::MySerialize;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

const SERVER: &str = "/usr/sbin/mariadbd";
const SHARE: &str = "/usr/share/mysql";

/// How long it may take until it is there.
const READY: Duration = Duration::from_secs(60);

/// The password of the user `reader`.
pub(crate) const PASSWORD: &str = "it's \"hunter2\" #1\\";

/// Whatever ends this process, the server ends and its directory is gone.
const WATCH: &str = r#"dir=$1; shift; "$@" & pid=$!; read -r _; kill -9 $pid; wait $pid; rm -rf "$dir""#;

/// The server.
pub(crate) struct MariaDb {
    port: u16,
    dir: PathBuf,
    pub(crate) certs: Certs,
    root: Mutex<Root>,
    /// Holds the pipe at whose end the server ends.
    _watch: Child,
}

/// The one of this process.
pub(crate) fn mariadb() -> &'static MariaDb {
    static ONE: OnceLock<MariaDb> = OnceLock::new();
    ONE.get_or_init(MariaDb::start)
}

impl MariaDb {
    fn start() -> Self {
        let certs = Certs::named();
        for _ in 0..5 {
            // A port that another process took meanwhile makes it exit at once: try another.
            let dir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap().keep();
            bootstrap(&dir);
            let port = free_port();
            let mut watch = spawn(&dir, port, &certs);
            let socket = dir.join("socket");
            let ready = eventually(READY, || Root::connect(&socket).is_some() || has_ended(&dir));
            if !ready || has_ended(&dir) {
                drop(watch.stdin.take());
                watch.wait().unwrap();
                continue;
            }
            let root = Mutex::new(Root::connect(&socket).unwrap());
            let server = Self { port, dir, certs, root, _watch: watch };
            server.users();
            return server;
        }
        panic!("MariaDB does not start: is it installed?");
    }

    fn users(&self) {
        let quoted = PASSWORD.replace('\\', "\\\\").replace('\'', "\\'");
        for sql in [
            format!("CREATE USER 'reader'@'%' IDENTIFIED BY '{quoted}'"),
            "GRANT SELECT ON *.* TO 'reader'@'%'".to_owned(),
            "CREATE USER 'open'@'%' IDENTIFIED BY ''".to_owned(),
            "GRANT SELECT ON *.* TO 'open'@'%'".to_owned(),
            "CREATE USER 'secured'@'%' IDENTIFIED BY 'x' REQUIRE SSL".to_owned(),
            "GRANT SELECT ON *.* TO 'secured'@'%'".to_owned(),
            "CREATE USER 'blind'@'%' IDENTIFIED BY 'x'".to_owned(),
        ] {
            self.run(&sql);
        }
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    /// Does what `sql` says, as root.
    pub(crate) fn run(&self, sql: &str) {
        self.root
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .run(sql)
            .unwrap_or_else(|why| panic!("{sql}: {why}"));
    }

    /// A schema that no other test has; it does not exist yet.
    pub(crate) fn schema(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("checkpoints_{}", NEXT.fetch_add(1, Ordering::SeqCst))
    }

    /// Makes `schema` with the table that a Drainer makes.
    pub(crate) fn make_table(&self, schema: &str) {
        self.run(&format!("CREATE DATABASE IF NOT EXISTS `{schema}`"));
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS `{schema}`.checkpoint (clusterID BIGINT UNSIGNED PRIMARY KEY, checkPoint MEDIUMTEXT)"
        ));
    }

    /// Saves as a Drainer does.
    pub(crate) fn save(&self, schema: &str, cluster_id: u64, row: &str) {
        let row = row.replace('\\', "\\\\").replace('\'', "\\'");
        self.run(&format!("REPLACE INTO `{schema}`.checkpoint VALUES ({cluster_id}, '{row}')"));
    }
}

fn bootstrap(dir: &Path) {
    std::fs::create_dir_all(dir.join("data/mysql")).unwrap();
    let mut sql = "use mysql;\nSET @auth_root_socket=NULL;\n".to_owned();
    for part in ["mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data"] {
        sql += &std::fs::read_to_string(format!("{SHARE}/{part}.sql")).unwrap();
    }
    let mut child = server(dir).arg("--bootstrap").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{}", std::fs::read_to_string(dir.join("log")).unwrap());
}

/// Without InnoDB, which nothing here needs: it starts in a tenth of a second.
fn options(dir: &Path) -> Vec<String> {
    let mut options = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", dir.join("data").display()),
        format!("--lc-messages-dir={SHARE}"),
        "--skip-innodb".to_owned(),
        "--default-storage-engine=Aria".to_owned(),
        "--aria-log-file-size=8M".to_owned(),
    ];
    if rustix::process::getuid().is_root() {
        options.push("--user=root".to_owned());
    }
    options
}

fn server(dir: &Path) -> Command {
    let mut command = Command::new(SERVER);
    let log = File::create(dir.join("log")).unwrap();
    command.args(options(dir)).env_clear().stdout(Stdio::null()).stderr(log);
    command
}

fn spawn(dir: &Path, port: u16, certs: &Certs) -> Child {
    let log = File::create(dir.join("log")).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "watch"]).arg(dir).arg(SERVER).args(options(dir));
    command.arg(format!("--port={port}")).arg("--bind-address=127.0.0.1");
    command.arg(format!("--socket={}", dir.join("socket").display()));
    command.arg(format!("--pid-file={}", dir.join("pid").display()));
    for (name, file) in [("ssl-ca", "ca.pem"), ("ssl-cert", "server.pem"), ("ssl-key", "server.key")] {
        command.arg(format!("--{name}={}", certs.file(file).display()));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap_or_else(|error| panic!("cannot start {SERVER} ({error}): install mariadb-server-core"))
}

fn has_ended(dir: &Path) -> bool {
    std::fs::read_to_string(dir.join("log")).is_ok_and(|log| log.contains("[ERROR] Aborting"))
}

/// Whoever may do everything there, over the socket.
struct Root(UnixStream);

impl Root {
    fn connect(socket: &Path) -> Option<Self> {
        let mut root = Self(UnixStream::connect(socket).ok()?);
        root.read().ok()?;
        let flags = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_PLUGIN_AUTH;
        let (plugin, none) = (Some(AuthPlugin::MysqlNativePassword), None::<&[u8]>);
        let response = HandshakeResponse::new(none, (8, 0, 0), Some(&b"root"[..]), none, plugin, flags, None, 1 << 20);
        let mut bytes = Vec::new();
        response.serialize(&mut bytes);
        root.write(1, &bytes);
        // It may ask once more: root has no password.
        match root.read().ok()?.as_slice() {
            [0, ..] => Some(root),
            [0xFE, ..] => {
                root.write(3, &[]);
                root.read().ok().filter(|said| said.first() == Some(&0)).map(|_| root)
            }
            _ => None,
        }
    }

    fn run(&mut self, sql: &str) -> Result<(), String> {
        self.write(0, &[&[3], sql.as_bytes()].concat());
        let said = self.read().map_err(|error| error.to_string())?;
        match said.first() {
            Some(0) => Ok(()),
            _ => match ParseBuf(&said).parse::<ErrPacket<'_>>(CapabilityFlags::CLIENT_PROTOCOL_41) {
                Ok(error) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.0.read_exact(&mut head)?;
        let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
        self.0.read_exact(&mut payload)?;
        Ok(payload)
    }

    fn write(&mut self, sequence: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        let packet = [&length[..3], &[sequence], payload].concat();
        self.0.write_all(&packet).unwrap();
    }
}
