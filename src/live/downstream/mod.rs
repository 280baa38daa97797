//! What a Drainer writes to, and what it has saved there: the row of our cluster in its table of checkpoints, or its savepoint file.
//!
//! Where that is stands in the profile, in a copy of the Drainer's configuration, or in what tiup knows of it; how to log in, in a
//! `my.cnf`. Whatever is in the way makes the checkpoint unknown, with the reason: only an interrupt and a defect are errors. A
//! database that nobody configured is never gone to.

mod login;
mod mysql;
mod saved;
mod settings;

use crate::error::{Error, Result};
use crate::live::Live;
use crate::live::clock::within;
use crate::live::cluster::LiveCluster;
use crate::node::NodeRef;
use crate::text::Untrusted;
use crate::tso::Tso;
use crate::world::{Answer, DownstreamCheckpoint, DownstreamReplication, SavedCheckpoint};
use login::DatabaseLogin;
use saved::{FoundRow, RowQuestion};
use settings::PlaceFound;
use std::sync::Arc;

/// Why there is no checkpoint.
enum Unread {
    /// It cannot be read, and why.
    Why(String),
    /// Somebody wants us to stop, or it is a defect.
    Fatal(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        match error.kind.is_fatal() {
            true => Self::Fatal(error),
            false => Self::Why(match (error.source, error.hint) {
                (Some(source), Some(hint)) => format!("{} ({source}); {hint}", error.message),
                (Some(source), None) => format!("{} ({source})", error.message),
                (None, Some(hint)) => format!("{}; {hint}", error.message),
                (None, None) => error.message,
            }),
        }
    }
}

fn why<T>(words: impl Into<String>) -> OrUnread<T> {
    Err(Unread::Why(words.into()))
}

type OrUnread<T> = std::result::Result<T, Unread>;

/// What was saved, and where that stands, before it is held against PD's time.
struct SavedWord {
    commit_ts: Tso,
    consistent: Option<bool>,
    schema_version: Option<i64>,
    source: String,
}

impl Live {
    /// What the Drainer `node` has saved downstream.
    ///
    /// # Errors
    /// `interrupted`.
    pub(super) fn checkpoint(&mut self, node: &NodeRef) -> Result<Answer> {
        let found = match self.saved_checkpoint(node) {
            Ok(saved) => DownstreamCheckpoint::Known(saved),
            Err(Unread::Why(why)) => DownstreamCheckpoint::Unknown(Untrusted::from(why)),
            Err(Unread::Fatal(error)) => return Err(error),
        };
        Ok(Answer::Checkpoint(found))
    }

    /// What the configuration of each Drainer says that it writes to and leaves out.
    ///
    /// # Errors
    /// `interrupted`.
    pub(super) fn replication(&self, nodes: &[NodeRef]) -> Result<Answer> {
        let deployment = self.known_deployment();
        let of = |node: &NodeRef| {
            let deployment = deployment.clone().map_err(Unread::from)?;
            settings::replication_of(node, &self.downstreams.of(node), deployment.as_deref())
        };
        let found = nodes.iter().map(|node| match of(node) {
            Ok(replication) => Ok(DownstreamReplication::Known(Box::new(replication))),
            Err(Unread::Why(why)) => Ok(DownstreamReplication::Unknown(Untrusted::from(why))),
            Err(Unread::Fatal(error)) => Err(error),
        });
        found.collect::<Result<_>>().map(Answer::Replication)
    }

    fn saved_checkpoint(&mut self, node: &NodeRef) -> OrUnread<SavedCheckpoint> {
        let profile = self.downstreams.of(node);
        let deployment = self.known_deployment()?;
        let place = settings::place_of(node, &profile, deployment.as_deref())?;
        let word = match place {
            PlaceFound::Table(table) => {
                let login = self.login(node, &profile, table)?;
                self.saved_in_table(login)?
            }
            PlaceFound::Savepoint(dir) => self.saved_in_file(node, dir.as_deref())?,
        };
        // Whoever saved it had that time from PD: what is ahead of it was saved by another cluster, or PD's time was set back.
        let read_at = self.run(|cluster| async move { cluster.timestamp().await })?;
        let SavedWord { commit_ts, consistent, schema_version, source } = word;
        if commit_ts > read_at {
            return why(format!(
                "{source} says {commit_ts}, which is ahead of PD's time {read_at}: it is another cluster's, or PD's time was set back"
            ));
        }
        Ok(SavedCheckpoint { commit_ts, consistent, schema_version, source: source.into(), read_at })
    }

    /// The row in a table.
    fn saved_in_table(&mut self, login: DatabaseLogin) -> OrUnread<SavedWord> {
        let DatabaseLogin { question, typed } = login;
        let question = Arc::new(question);
        let asked = question.clone();
        let row = self.run(move |cluster| async move { asked_within_time(&cluster, &asked).await })?;
        match row {
            FoundRow::Row(row) => Ok(SavedWord {
                commit_ts: row.commit_ts,
                consistent: row.consistent,
                schema_version: row.schema_version,
                source: question.source(),
            }),
            FoundRow::LoginRefused(words) => {
                if let Some(login) = typed {
                    self.downstreams.forget_typed(&login);
                }
                why(words)
            }
            FoundRow::Not(words) => why(words),
        }
    }
}

/// Asks PD which cluster it is, and the database for its row.
async fn asked_within_time(cluster: &LiveCluster, question: &RowQuestion) -> Result<FoundRow> {
    let id = match cluster.id().await {
        Ok(id) => id,
        Err(error) if error.kind.is_fatal() => return Err(error),
        Err(error) => {
            return Ok(FoundRow::Not(format!("which row is this cluster's only PD can say: {}", error.message)));
        }
    };
    let exchange = cluster.wire().exchange(&question.address(), "the checkpoint of a Drainer");
    let timeout = cluster.wire().settings.timeout;
    let deadline = cluster.deadline();
    let found = match within(deadline, saved::ask(cluster.wire(), question, id)).await {
        Some(found) => found,
        None => FoundRow::Not(format!("{} did not answer within {} s", question.database(), timeout.as_secs_f64())),
    };
    exchange.ended(match &found {
        FoundRow::Row(_) => "a row",
        FoundRow::LoginRefused(_) => "no login",
        FoundRow::Not(_) => "no row",
    });
    Ok(found)
}
