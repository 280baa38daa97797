//! Reading a file, or all that comes on a stream.

use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fstat, fstatfs, major, minor};
use rustix::io::Errno;
use std::fs::File;
use std::io::ErrorKind as Io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// How often a wait looks whether it should end.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// What the system calls the place where pipes without a name are.
const PIPES: u32 = 0x5049_5045;

/// Why there is nothing to read.
#[derive(Debug)]
pub enum ReadFault {
    /// The system did not let us.
    Refused(std::io::Error),
    /// This stands there, and no regular file.
    NoFile(&'static str),
    /// There is more than this many bytes.
    TooLarge(u64),
    /// A signal ended the wait.
    Interrupted(Error),
}

impl ReadFault {
    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(fault) if fault.kind() == Io::NotFound)
    }

    /// The error behind `cannot` ("cannot read the plan p.json"): `not_found`, `invalid` for what can be no such file, `local`
    /// where the system refuses it, `interrupted`.
    pub fn error(self, cannot: impl Into<String>) -> Error {
        let cannot = cannot.into();
        match self {
            Self::Refused(fault) => {
                let kind = if fault.kind() == Io::NotFound { ErrorKind::NotFound } else { ErrorKind::Local };
                Error::new(kind, cannot).source(fault)
            }
            Self::NoFile(what) => Error::invalid(format!("{cannot}: it is {what}")).hint(match what {
                DIRECTORY => "name the file in it",
                _ => "look what is there, and who put it there; what a pipe gives has to be written into a file first",
            }),
            Self::TooLarge(limit) => Error::invalid(format!("{cannot}: it is larger than {}", size(limit)))
                .hint("is it the file that you meant?"),
            Self::Interrupted(error) => error,
        }
    }
}

/// A size as it is said: limits are whole KiB.
fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mib => format!("{mib} MiB"),
    }
}

const DIRECTORY: &str = "a directory, and no regular file";

/// What stands in the regular file `path`, of at most `limit` bytes. `/dev/null` is an empty one, as everywhere.
///
/// # Errors
/// At once, whatever stands there.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadFault> {
    let file = open(path)?;
    match instead_of_file(&file)? {
        None => all(file, limit, None),
        Some(what) => Err(ReadFault::NoFile(what)),
    }
}

/// The same of a file that the operator names, which may be a pipe as well: what their shell makes of `<(program)`. To wait
/// for what comes there ends when `interrupt` is raised.
///
/// # Errors
/// Those of [`read`], and of the wait.
pub fn read_given(path: &Path, limit: u64, interrupt: &Interrupt) -> Result<Vec<u8>, ReadFault> {
    let file = open(path)?;
    let about = fstat(&file).map_err(refused)?;
    if FileType::from_raw_mode(about.st_mode) == FileType::Fifo {
        // One with a name waits for its first writer; of one without, all writers may be gone already.
        let has_name = fstatfs(&file).map_err(refused)?.f_type as u32 != PIPES;
        if has_name {
            wait(&file, interrupt)?;
        }
        return all(file, limit, Some(interrupt));
    }
    match instead_of_file(&file)? {
        None => all(file, limit, None),
        Some(what) => Err(ReadFault::NoFile(what)),
    }
}

/// All that comes on `stream`, which others may use as well: it stays as it is, and so reading from it may wait.
///
/// # Errors
/// Those of reading, `TooLarge`, and of the wait.
pub fn read_stream(stream: impl AsFd, limit: u64, interrupt: &Interrupt) -> Result<Vec<u8>, ReadFault> {
    let mut bytes = Vec::new();
    loop {
        wait(&stream, interrupt)?;
        match piece(&stream, &mut bytes, limit) {
            Ok(0) => return Ok(bytes),
            // Whoever else has it may have taken what was there.
            Err(ReadFault::Refused(fault)) if fault.kind() == Io::WouldBlock => {}
            Ok(_) => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// Opens it without waiting for anybody, and without getting a terminal for our own.
fn open(path: &Path) -> Result<File, ReadFault> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    opened.map_err(|fault| {
        // A socket cannot be opened at all, and the system's word for that says nothing.
        let is_socket = || path.metadata().is_ok_and(|about| about.file_type().is_socket());
        if is_socket() { ReadFault::NoFile("a socket, and no regular file") } else { ReadFault::Refused(fault) }
    })
}

/// What it is that was opened, unless it is a regular file.
fn instead_of_file(file: &File) -> Result<Option<&'static str>, ReadFault> {
    let about = fstat(file).map_err(refused)?;
    Ok(match FileType::from_raw_mode(about.st_mode) {
        FileType::RegularFile => None,
        FileType::CharacterDevice if (major(about.st_rdev), minor(about.st_rdev)) == (1, 3) => None,
        FileType::Directory => Some(DIRECTORY),
        FileType::Fifo => Some("a pipe, and no regular file"),
        FileType::Socket => Some("a socket, and no regular file"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("a device, and no regular file"),
        FileType::Symlink | FileType::Unknown => Some("no regular file"),
    })
}

/// All that can be read; where nothing is there yet, that is waited for as long as `interrupt` is not raised.
fn all(file: File, limit: u64, interrupt: Option<&Interrupt>) -> Result<Vec<u8>, ReadFault> {
    let mut bytes = Vec::new();
    loop {
        match (piece(&file, &mut bytes, limit), interrupt) {
            (Ok(0), _) => return Ok(bytes),
            (Ok(_), None) => {}
            (Ok(_), Some(interrupt)) => interrupt.check().map_err(ReadFault::Interrupted)?,
            (Err(ReadFault::Refused(fault)), Some(interrupt)) if fault.kind() == Io::WouldBlock => {
                wait(&file, interrupt)?
            }
            (Err(fault), _) => return Err(fault),
        }
    }
}

/// Reads some bytes behind those that are there; how many.
fn piece(stream: impl AsFd, bytes: &mut Vec<u8>, limit: u64) -> Result<usize, ReadFault> {
    let mut buffer = [0; PIECE];
    let read = loop {
        match rustix::io::read(&stream, &mut buffer) {
            Err(Errno::INTR) => {}
            read => break read.map_err(refused)?,
        }
    };
    bytes.extend_from_slice(&buffer[..read]);
    if bytes.len() as u64 > limit { Err(ReadFault::TooLarge(limit)) } else { Ok(read) }
}

/// Waits until there is something to read, or its end.
fn wait(stream: impl AsFd, interrupt: &Interrupt) -> Result<(), ReadFault> {
    loop {
        interrupt.check().map_err(ReadFault::Interrupted)?;
        match poll(&mut [PollFd::new(&stream, PollFlags::IN)], Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(refused(errno)),
        }
    }
}

fn refused(errno: Errno) -> ReadFault {
    ReadFault::Refused(errno.into())
}
