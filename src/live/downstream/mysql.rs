//! A conversation with a MySQL, MariaDB or TiDB server, as short as can be: log in, ask for rows, leave.
//!
//! The packets are those of `mysql_common`; the clients over it make connections of their own, and every connection of this program
//! is made by one dialer. Whatever the server sends is bounded: the size of a packet, how many packets and rows there are; the
//! deadline is the caller's. The password goes out in clear only to whoever has shown who they are.

use crate::downstream::SslMode;
use crate::live::connect::{ByteStream, PacedConnection};
use crate::live::trouble::{io_words, tls_trouble};
use crate::text::on_one_line;
use mysql_common::constants::CapabilityFlags;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    AuthPlugin, AuthSwitchRequest, ErrPacket, HandshakePacket, HandshakeResponse, OkPacketDeserializer, OldEofPacket,
    SslRequest,
};
use mysql_common::proto::MySerialize;
use mysql_common::value::{TextValue, Value, ValueDeserializer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

/// No packet that we ask for is larger.
const LARGEST: usize = 128 << 10;
/// So many packets a login takes at most.
const MOST_STEPS: usize = 8;
/// So many columns and rows are read at most.
const MOST_COLUMNS: u8 = 8;
const MOST_ROWS: usize = 16;
/// So many letters of what a server says are shown.
const LONGEST_WORDS: usize = 300;

const QUIT: u8 = 1;
const QUERY: u8 = 3;

const OK: u8 = 0x00;
const MORE: u8 = 0x01;
const LOCAL_INFILE: u8 = 0xFB;
const END_OR_SWITCH: u8 = 0xFE;
const ERROR: u8 = 0xFF;

/// What `caching_sha2_password` says.
const FAST_PATH_TAKEN: u8 = 3;
const PASSWORD_WANTED: u8 = 4;

/// Who logs in, and how.
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) mode: SslMode,
    /// How TLS is made; `None` where it is not wanted.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// The name that its certificate must be for, where that is verified.
    pub(super) host: &'a str,
    /// Whether the connection is a socket of this host.
    pub(super) is_local: bool,
}

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum MysqlFailure {
    /// The server said so.
    Said { code: u16, words: String },
    /// The connection broke, or TLS was not made.
    Broken(String),
    /// It is not what we can speak with.
    Odd(String),
}

impl MysqlFailure {
    fn odd(words: impl Into<String>) -> Self {
        Self::Odd(words.into())
    }

    /// What is in the way, as a phrase.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Said { code, words } => format!("it says: {words} (error {code})"),
            Self::Broken(words) | Self::Odd(words) => words.clone(),
        }
    }
}

impl From<io::Error> for MysqlFailure {
    fn from(error: io::Error) -> Self {
        if let Some(trouble) = tls_trouble(&error) {
            return Self::Broken(trouble.words);
        }
        Self::Broken(match error.kind() {
            io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
            kind => io_words(kind).map_or_else(|| error.to_string(), str::to_owned),
        })
    }
}

type Said<T> = Result<T, MysqlFailure>;

/// A connection to a server that has let us in.
pub(super) struct MysqlSession {
    packets: Packets,
}

/// Packets as they go over a connection.
struct Packets {
    stream: PacedConnection<Box<dyn ByteStream>>,
    sequence: u8,
}

impl Packets {
    fn over(stream: Box<dyn ByteStream>, sequence: u8) -> Self {
        Self { stream: PacedConnection::new(stream), sequence }
    }

    async fn read(&mut self) -> Said<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).await?;
        let [low, middle, high, sequence] = head;
        let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
        if length > LARGEST {
            return Err(MysqlFailure::odd(format!(
                "it sends {length} bytes at once, more than what was asked for can have: is it a MySQL server?"
            )));
        }
        if sequence != self.sequence {
            return Err(MysqlFailure::odd("what it sends is not MySQL's protocol: another server listens there"));
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok(payload)
    }

    async fn write(&mut self, payload: &[u8]) -> Said<()> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length < 1 << 24);
        let length = length.ok_or_else(|| MysqlFailure::odd("what it is to be told is too long"))?;
        let mut packet = length.to_le_bytes()[..3].to_vec();
        packet.push(self.sequence);
        packet.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&packet).await?;
        Ok(self.stream.flush().await?)
    }
}

impl MysqlSession {
    /// Logs in over `stream`.
    ///
    /// # Errors
    /// What the server says, or what keeps us from speaking with it.
    pub(super) async fn log_in(stream: Box<dyn ByteStream>, login: &Login<'_>) -> Said<Self> {
        let mut packets = Packets::over(stream, 0);
        let greeting = packets.read().await?;
        let greeting = greeting_of(&greeting)?;
        let wanted = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_PLUGIN_AUTH;
        if !greeting.capabilities().contains(wanted) {
            return Err(MysqlFailure::odd("it speaks a protocol that is older than MySQL 5.5"));
        }
        let mut flags = wanted | CapabilityFlags::CLIENT_LONG_PASSWORD;
        let tls = login.tls.clone().filter(|_| !login.is_local);
        let has_tls = greeting.capabilities().contains(CapabilityFlags::CLIENT_SSL);
        let mut is_secret = login.is_local;
        match (tls, has_tls) {
            (Some(tls), true) => {
                flags |= CapabilityFlags::CLIENT_SSL;
                packets = secured(packets, tls, flags, login.host).await?;
                is_secret = login.mode != SslMode::Preferred;
            }
            (Some(_), false) if login.mode != SslMode::Preferred => {
                return Err(MysqlFailure::odd(format!(
                    "it has no TLS, and ssl-mode = {} asks for it",
                    login.mode.name()
                )));
            }
            (Some(_), false) | (None, _) => {}
        }
        let named = greeting.auth_plugin();
        let (plugin, data) = match named {
            Some(AuthPlugin::CachingSha2Password) => answer(AuthPlugin::CachingSha2Password, login, &greeting.nonce()),
            // Whoever wants another one says so next.
            _ => answer(AuthPlugin::MysqlNativePassword, login, &greeting.nonce()),
        };
        let user = Some(login.user.as_bytes());
        let response =
            HandshakeResponse::new(Some(data), (8, 0, 0), user, None::<&[u8]>, Some(plugin), flags, None, MAX_PACKET);
        packets.write(&serialized(&response)).await?;
        let mut session = Self { packets };
        session.be_let_in(login, is_secret).await?;
        Ok(session)
    }

    /// Answers what the server asks until it lets us in.
    async fn be_let_in(&mut self, login: &Login<'_>, is_secret: bool) -> Said<()> {
        for _ in 0..MOST_STEPS {
            let said = self.packets.read().await?;
            match said.as_slice() {
                [OK, ..] => return Ok(()),
                [ERROR, ..] => return Err(error_of(&said)),
                [MORE, FAST_PATH_TAKEN] => {}
                [MORE, PASSWORD_WANTED] if is_secret => {
                    let password = [login.password.as_bytes(), &[0]].concat();
                    self.packets.write(&password).await?;
                }
                [MORE, PASSWORD_WANTED] => return Err(MysqlFailure::odd(IN_CLEAR)),
                [END_OR_SWITCH, _, ..] => self.switch(&said, login).await?,
                _ => return Err(MysqlFailure::odd("it asks for the password in a way that is not known here")),
            }
        }
        Err(MysqlFailure::odd("it does not come to an end with the login"))
    }

    /// The server wants the password proven in another way.
    async fn switch(&mut self, said: &[u8], login: &Login<'_>) -> Said<()> {
        let request: AuthSwitchRequest<'_> = ParseBuf(said).parse(()).map_err(|_| no_protocol())?;
        let plugin = match request.auth_plugin() {
            AuthPlugin::MysqlNativePassword => AuthPlugin::MysqlNativePassword,
            AuthPlugin::CachingSha2Password => AuthPlugin::CachingSha2Password,
            other => {
                let name: String = String::from_utf8_lossy(other.as_bytes()).chars().take(64).collect();
                return Err(MysqlFailure::odd(format!(
                    "it asks {} to log in by `{}`, which is not known here: give a user that logs in by mysql_native_password or \
                     caching_sha2_password",
                    on_one_line(login.user),
                    on_one_line(&name)
                )));
            }
        };
        let (_, data) = answer(plugin, login, request.plugin_data());
        self.packets.write(&data).await
    }

    /// The rows that `sql` gives, each value as text; `None` for NULL.
    ///
    /// # Errors
    /// What the server says; or it sends more than can be.
    pub(super) async fn query(&mut self, sql: &str) -> Said<Vec<Vec<Option<String>>>> {
        self.packets.sequence = 0;
        self.packets.write(&[&[QUERY], sql.as_bytes()].concat()).await?;
        let said = self.packets.read().await?;
        let columns = match said.as_slice() {
            [ERROR, ..] => return Err(error_of(&said)),
            [LOCAL_INFILE, ..] => {
                return Err(MysqlFailure::odd("it asks for a file of this host, which it does not get"));
            }
            [columns @ 1..=MOST_COLUMNS] => usize::from(*columns),
            _ => return Err(no_protocol()),
        };
        for _ in 0..columns {
            self.packets.read().await?;
        }
        if !is_end(&self.packets.read().await?) {
            return Err(no_protocol());
        }
        let mut rows = Vec::new();
        loop {
            let said = self.packets.read().await?;
            match said.first() {
                Some(&ERROR) => return Err(error_of(&said)),
                _ if is_end(&said) => return Ok(rows),
                _ if rows.len() == MOST_ROWS => {
                    return Err(MysqlFailure::odd("it sends more rows than were asked for"));
                }
                _ => rows.push(row_of(&said, columns)?),
            }
        }
    }

    /// Leaves, so that the server notes no aborted connection; whether it hears that is its affair.
    pub(super) async fn leave(mut self) {
        self.packets.sequence = 0;
        // Everything that was wanted is known.
        let _ = self.packets.write(&[QUIT]).await;
    }
}

/// What we say that our largest packet is.
const MAX_PACKET: u32 = 1 << 20;

const IN_CLEAR: &str = "it asks for the password itself, which goes only to a server that has shown who it is: name its CA with ssl-ca, \
                        or say ssl-mode = REQUIRED if every server there may have it";

fn no_protocol() -> MysqlFailure {
    MysqlFailure::odd(
        "what it sends is not MySQL's protocol: another server listens there, or something between alters it",
    )
}

/// The first packet of a server. What the library would stumble over is looked at before.
fn greeting_of(packet: &[u8]) -> Said<HandshakePacket<'_>> {
    /// Behind the server's version: where the length of what the password is mixed with stands.
    const LENGTH_AT: usize = 20;
    match packet {
        [ERROR, ..] => return Err(error_of(packet)),
        [10, rest @ ..] => {
            let version = rest.iter().position(|byte| *byte == 0).ok_or_else(no_protocol)?;
            if rest.get(version + 1 + LENGTH_AT).is_none_or(|length| *length > 127) {
                return Err(no_protocol());
            }
        }
        _ => return Err(no_protocol()),
    }
    ParseBuf(packet).parse(()).map_err(|_| no_protocol())
}

/// The proof of the password for a way that is known here.
fn answer(plugin: AuthPlugin<'static>, login: &Login<'_>, nonce: &[u8]) -> (AuthPlugin<'static>, Vec<u8>) {
    let data = plugin.gen_data(Some(login.password), nonce).map(|data| data.to_vec());
    (plugin, data.unwrap_or_default())
}

/// The same connection, with TLS.
async fn secured(packets: Packets, tls: Arc<ClientConfig>, flags: CapabilityFlags, host: &str) -> Said<Packets> {
    let Packets { mut stream, sequence } = {
        let mut packets = packets;
        packets.write(&serialized(&SslRequest::new(flags, MAX_PACKET, UTF8MB4))).await?;
        packets
    };
    stream.flush().await?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name
        .map_err(|_| MysqlFailure::odd("its name cannot be in a certificate: use its host name or its IP address"))?;
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    Ok(Packets::over(Box::new(stream), sequence))
}

/// `utf8mb4_general_ci`.
const UTF8MB4: u8 = 45;

fn serialized(packet: &impl MySerialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.serialize(&mut bytes);
    bytes
}

fn error_of(packet: &[u8]) -> MysqlFailure {
    // One that comes before both have said what they can has no state in it.
    let flags =
        if packet.get(3) == Some(&b'#') { CapabilityFlags::CLIENT_PROTOCOL_41 } else { CapabilityFlags::empty() };
    match ParseBuf(packet).parse::<ErrPacket<'_>>(flags) {
        Ok(ErrPacket::Error(error)) => {
            let words: String = error.message_str().chars().take(LONGEST_WORDS).collect();
            MysqlFailure::Said { code: error.error_code(), words: on_one_line(&words).into_owned() }
        }
        Ok(ErrPacket::Progress(_)) | Err(_) => no_protocol(),
    }
}

fn is_end(packet: &[u8]) -> bool {
    let end = || ParseBuf(packet).parse::<OkPacketDeserializer<'_, OldEofPacket>>(CapabilityFlags::empty());
    packet.first() == Some(&END_OR_SWITCH) && packet.len() < 9 && end().is_ok()
}

fn row_of(packet: &[u8], columns: usize) -> Said<Vec<Option<String>>> {
    let mut rest = ParseBuf(packet);
    let mut row = Vec::new();
    for _ in 0..columns {
        let value: ValueDeserializer<TextValue> = rest.parse(()).map_err(|_| no_protocol())?;
        row.push(match value.0 {
            Value::NULL => None,
            Value::Bytes(bytes) => {
                Some(String::from_utf8(bytes).map_err(|_| MysqlFailure::odd("what stands there is no text"))?)
            }
            _ => return Err(no_protocol()),
        });
    }
    match rest.is_empty() {
        true => Ok(row),
        false => Err(no_protocol()),
    }
}
