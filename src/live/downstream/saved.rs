//! What stands there: the row of our cluster in a table, or a savepoint file here or on the Drainer's host.

use super::mysql::{Login, MysqlFailure, MysqlSession};
use super::settings::is_absolute;
use super::{OrUnread, SavedWord, why};
use crate::downstream::{SavedRow, SslMode};
use crate::live::Live;
use crate::live::connect::ByteStream;
use crate::live::control::ASKING;
use crate::live::files::{SAVEPOINT, read_savepoint};
use crate::live::wire::Wire;
use crate::node::NodeRef;
use crate::node_control::Preset;
use crate::savepoint;
use crate::secret::Secret;
use crate::text::{ShownPath, Untrusted, on_one_line};
use crate::world::{Exec, Notices, ProgramEnd};
use rustls::ClientConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixStream;

/// How many of other clusters' rows are named.
const OTHERS: usize = 3;

/// What the servers say, by their numbers (MySQL's, MariaDB's and TiDB's are the same).
const ACCESS_DENIED: [u16; 3] = [1045, 1698, 3118];
const NO_SCHEMA: u16 = 1049;
const NO_TABLE: u16 = 1146;
const NOT_ALLOWED: [u16; 3] = [1044, 1142, 1143];
const NO_COLUMN: u16 = 1054;

/// What a database is asked, and how to get there.
pub(super) struct RowQuestion {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) socket: Option<PathBuf>,
    pub(super) schema: Untrusted,
    pub(super) table: Untrusted,
    pub(super) user: String,
    pub(super) password: Secret,
    pub(super) mode: SslMode,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

/// What came of it.
pub(super) enum FoundRow {
    /// The row of our cluster.
    Row(SavedRow),
    /// The database does not let us in.
    LoginRefused(String),
    /// There is none, and why.
    Not(String),
}

impl RowQuestion {
    /// `host:port` as it is dialled, or the path of the socket.
    pub(super) fn address(&self) -> String {
        match &self.socket {
            Some(socket) => socket.shown().to_string(),
            None if self.host.contains(':') && !self.host.starts_with('[') => format!("[{}]:{}", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    /// The database, for a message.
    pub(super) fn database(&self) -> String {
        format!("the database at {}", on_one_line(&self.address()))
    }

    /// Where the row stands.
    pub(super) fn source(&self) -> String {
        on_one_line(&format!("{}.{} at {}", self.schema.as_str(), self.table.as_str(), self.address())).into_owned()
    }

    fn quoted_table(&self) -> String {
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }
}

/// Asks for the row of the cluster `id`.
pub(super) async fn ask(wire: &Wire, question: &RowQuestion, id: u64) -> FoundRow {
    let stream = match connected(wire, question).await {
        Ok(stream) => stream,
        Err(words) => return FoundRow::Not(format!("cannot connect to {}: {words}", question.database())),
    };
    let Secret::Plain(password) = &question.password else {
        return FoundRow::Not("the password is known as a hash only".to_owned());
    };
    let login = Login {
        user: &question.user,
        password,
        mode: question.mode,
        tls: question.tls.clone(),
        host: &question.host,
        is_local: question.socket.is_some(),
    };
    let mut session = match MysqlSession::log_in(stream, &login).await {
        Ok(session) => session,
        Err(failure) => return not_let_in(question, &failure),
    };
    let found = match row(&mut session, question, id).await {
        Ok(found) => found,
        Err(failure) => FoundRow::Not(not_told(question, &failure)),
    };
    session.leave().await;
    found
}

async fn connected(wire: &Wire, question: &RowQuestion) -> Result<Box<dyn ByteStream>, String> {
    match &question.socket {
        Some(socket) => match UnixStream::connect(socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(MysqlFailure::from(error).words()),
        },
        None => {
            let dialer = wire.dialer.within(wire.settings.timeout);
            let stream = dialer.connect(&question.address()).await;
            stream.map(|stream| Box::new(stream) as Box<dyn ByteStream>).map_err(|none| none.to_string())
        }
    }
}

async fn row(session: &mut MysqlSession, question: &RowQuestion, id: u64) -> Result<FoundRow, MysqlFailure> {
    let (table, source) = (question.quoted_table(), question.source());
    // One letter more than can be, so that it is seen.
    let longest = crate::downstream::LONGEST_ROW + 1;
    let ours = format!("SELECT LEFT(checkPoint, {longest}) FROM {table} WHERE clusterID = {id} LIMIT 2");
    let rows = session.query(&ours).await?;
    let not = |words: String| Ok(FoundRow::Not(words));
    match rows.as_slice() {
        [row] => match row.first() {
            Some(Some(text)) => match SavedRow::parse(text) {
                Ok(row) => Ok(FoundRow::Row(row)),
                Err(error) => not(format!("the row of this cluster in {source} cannot be read: {}", error.message)),
            },
            Some(None) | None => not(format!("the row of this cluster in {source} is empty")),
        },
        [] => {
            let others = format!("SELECT clusterID FROM {table} LIMIT {}", OTHERS + 1);
            let others = session.query(&others).await?;
            let mut ids: Vec<String> = others.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
            let has_more = ids.len() > OTHERS;
            ids.truncate(OTHERS);
            let ids: Vec<_> = ids.iter().map(|id| on_one_line(id).chars().take(20).collect::<String>()).collect();
            match ids.is_empty() {
                true => not(format!("{source} has no row: no Drainer has saved a checkpoint there yet")),
                false => not(format!(
                    "{source} has no row of this cluster ({id}), only of others: {}{}",
                    ids.join(", "),
                    if has_more { ", ..." } else { "" }
                )),
            }
        }
        _ => not(format!("{source} has several rows of this cluster: no Drainer made such a table")),
    }
}

fn not_let_in(question: &RowQuestion, failure: &MysqlFailure) -> FoundRow {
    let database = question.database();
    match failure {
        MysqlFailure::Said { code, words } if ACCESS_DENIED.contains(code) => FoundRow::LoginRefused(format!(
            "{database} refuses {} or the password: {words}; try it by hand with the mysql client",
            on_one_line(&question.user)
        )),
        MysqlFailure::Said { .. } | MysqlFailure::Broken(_) | MysqlFailure::Odd(_) => {
            FoundRow::Not(format!("cannot log in to {database}: {}", failure.words()))
        }
    }
}

fn not_told(question: &RowQuestion, failure: &MysqlFailure) -> String {
    let (source, user) = (question.source(), on_one_line(&question.user));
    match failure {
        MysqlFailure::Said { code: NO_SCHEMA, .. } => {
            format!("there is no schema for {source}: no Drainer has saved there, or it saves elsewhere")
        }
        MysqlFailure::Said { code: NO_TABLE, .. } => {
            format!("there is no table {source}: no Drainer has saved there, or it saves elsewhere")
        }
        MysqlFailure::Said { code, words } if NOT_ALLOWED.contains(code) => {
            format!("{user} may not read {source}: {words}; grant it SELECT on this table")
        }
        MysqlFailure::Said { code: NO_COLUMN, .. } => format!("{source} is no table of checkpoints of a Drainer"),
        MysqlFailure::Said { .. } | MysqlFailure::Broken(_) | MysqlFailure::Odd(_) => {
            format!("{source} cannot be read: {}", failure.words())
        }
    }
}

impl Live {
    /// The savepoint file of a Drainer: on this host, or fetched by what starts and stops it.
    pub(super) fn saved_in_file(&mut self, node: &NodeRef, dir: Option<&str>) -> OrUnread<SavedWord> {
        let is_in_pod = self.node_control.as_ref().is_some_and(|control| control.by == Preset::Kubernetes);
        let dir = match dir {
            Some(dir) if is_absolute(dir) => dir.to_owned(),
            // Where its chart puts it.
            None if is_in_pod => "/data".to_owned(),
            Some(_) => {
                return why(format!(
                    "the data directory of {node} is relative: name it from `/` on in the profile (data-dir)"
                ));
            }
            None => {
                return why(format!("nothing says which data directory {node} has: name it in the profile (data-dir)"));
            }
        };
        let host = node.address.rsplit_once(':').map_or(node.address.as_str(), |(host, _)| host).to_owned();
        let path = Path::new(&dir).join(SAVEPOINT);
        let (text, source) = match !is_in_pod && self.is_this_host(&host)? {
            true => (read_savepoint(Path::new(&dir))?, path.shown().to_string()),
            false => (self.fetched(node, &path)?, format!("{} of {host}", path.shown())),
        };
        let source = on_one_line(&source).into_owned();
        let saved = match savepoint::parse(&text) {
            Ok(saved) => saved,
            Err(error) => return why(format!("{source} is no savepoint: {}", error.message)),
        };
        if let Some(problem) = saved.problem {
            return why(format!("{source} is no savepoint that a Drainer wrote: {problem}"));
        }
        if saved.ts.0 <= 0 {
            return why(format!("{source} has no timestamp: nothing was saved there yet"));
        }
        Ok(SavedWord {
            commit_ts: saved.ts,
            consistent: saved.consistent,
            schema_version: saved.schema_version,
            source,
        })
    }

    /// What stands in a file on the node's host.
    fn fetched(&mut self, node: &NodeRef, path: &Path) -> OrUnread<String> {
        let cannot = |words: &str| format!("cannot read {} of {node}: {words}", path.shown());
        let Some(profile) = self.node_control.clone() else {
            return why(cannot("its host is not this one, and the profile has no node control that goes there"));
        };
        let path_text = path.display().to_string();
        let exec = match profile.reads_file(node, &path_text) {
            Ok(exec) => Exec { timeout: Some(ASKING), ..exec },
            Err(words) => return why(cannot(&words)),
        };
        let unheard: Notices = Arc::new(|_| {});
        let ProgramEnd { status, stdout, stderr } = self.run_program(&exec, &unheard)?;
        match status {
            0 => Ok(stdout),
            _ => {
                let said = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
                let said: String = said.chars().take(300).collect();
                why(cannot(&format!("{exec} ended with {status}: {}", on_one_line(&said))))
            }
        }
    }
}
