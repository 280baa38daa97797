//! How to log in to a database: a `my.cnf`, and a password that somebody types where none stands there.

use super::saved::RowQuestion;
use super::{OrUnread, why};
use crate::downstream::{ClientOptions, DownstreamProfile, SslMode, TablePlace};
use crate::error::Error;
use crate::files;
use crate::live::Live;
use crate::live::tls::{Verified, for_database};
use crate::node::NodeRef;
use crate::secret::Secret;
use crate::text::{ShownPath, decode, on_one_line};
use std::path::Path;
use std::sync::Arc;

/// No `my.cnf` is larger.
const LARGEST: u64 = 1 << 20;

/// A question to a database, and whether its password was typed.
pub(super) struct DatabaseLogin {
    pub(super) question: RowQuestion,
    /// Under what a typed password is kept, to be forgotten where it is refused.
    pub(super) typed: Option<String>,
}

impl Live {
    /// How the database with `table` is asked.
    pub(super) fn login(
        &mut self,
        node: &NodeRef,
        profile: &DownstreamProfile,
        table: TablePlace,
    ) -> OrUnread<DatabaseLogin> {
        let (options, is_own) = match (&profile.my_cnf, &self.downstreams.my_cnf) {
            (Some(file), _) => (read_my_cnf(file)?, true),
            (None, Some(file)) => (read_my_cnf(file)?, false),
            (None, None) => (ClientOptions::default(), false),
        };
        let (host, port, socket) = match is_own {
            true => {
                let host = options.host.clone().or(table.host.map(|host| host.as_str().to_owned()));
                (host, options.port.unwrap_or(table.port), options.socket.clone())
            }
            false => (table.host.map(|host| host.as_str().to_owned()), table.port, None),
        };
        if host.is_none() && socket.is_none() {
            return why(format!(
                "nothing says on which host the database of {node} is: name it in the profile, or in a my.cnf for this one"
            ));
        }
        let Some(user) = options.user.clone().or_else(|| profile.user.clone()) else {
            return why(format!(
                "nothing says how to log in to the database of {node}: name a my.cnf with `user` and `password` (--my-cnf, or my-cnf in the \
                 profile)"
            ));
        };
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let mode = options.mode();
        let tls = if socket.is_some() { None } else { tls(&options, mode)? };
        let at = socket.as_ref().map_or_else(|| format!("{host}:{port}"), |socket| socket.shown().to_string());
        let (password, typed) = self.password(&options, &format!("{user}@{at}"))?;
        let (schema, table) = (table.schema, table.table);
        let question = RowQuestion { host, port, socket, schema, table, user, password, mode, tls };
        Ok(DatabaseLogin { question, typed })
    }

    /// The password: that of the `my.cnf`; what somebody typed before, or types now; none where nobody is there.
    fn password(&mut self, options: &ClientOptions, login: &str) -> OrUnread<(Secret, Option<String>)> {
        if let Some(password) = &options.password {
            return Ok((password.clone(), None));
        }
        if let Some(typed) = self.downstreams.typed(login) {
            return Ok((typed, Some(login.to_owned())));
        }
        match &mut self.console {
            Some(console) if console.is_attended() => {
                let typed =
                    console.secret(&format!("password of {} (a checkpoint is read there): ", on_one_line(login)))?;
                self.downstreams.keep_typed(login, typed.clone());
                Ok((typed, Some(login.to_owned())))
            }
            Some(_) | None => Ok((Secret::Plain(String::new()), None)),
        }
    }
}

fn read_my_cnf(path: &Path) -> OrUnread<ClientOptions> {
    let bytes = files::read(path, LARGEST).map_err(|fault| fault.error(format!("cannot read {}", path.shown())))?;
    let text = decode(path.shown().as_ref(), bytes)?;
    let options = ClientOptions::parse(&text);
    let mut options =
        options.map_err(|error| Error { message: format!("{}: {}", path.shown(), error.message), ..error })?;
    // Files are named as from the directory of the file that names them.
    let dir = path.parent().unwrap_or(Path::new(""));
    for file in [&mut options.ssl_ca, &mut options.ssl_cert, &mut options.ssl_key] {
        *file = file.take().map(|file| dir.join(file));
    }
    Ok(options)
}

fn tls(options: &ClientOptions, mode: SslMode) -> OrUnread<Option<Arc<rustls::ClientConfig>>> {
    let identity = match (&options.ssl_cert, &options.ssl_key) {
        (Some(cert), Some(key)) => Some((cert.as_path(), key.as_path())),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return why("the my.cnf names one of ssl-cert and ssl-key without the other");
        }
    };
    let verified = match (mode, &options.ssl_ca) {
        (SslMode::Disabled, _) => return Ok(None),
        (SslMode::Preferred | SslMode::Required, _) => Verified::Nothing,
        (SslMode::VerifyCa, Some(ca)) => Verified::Chain(ca),
        (SslMode::VerifyIdentity, Some(ca)) => Verified::Name(ca),
        (SslMode::VerifyCa | SslMode::VerifyIdentity, None) => {
            return why(format!("the my.cnf says ssl-mode = {}, and no ssl-ca: name the file of the CA", mode.name()));
        }
    };
    Ok(Some(for_database(&verified, identity)?))
}
