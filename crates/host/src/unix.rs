//! The local control channel: the same frames over a Unix socket that only this user can reach.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::link::wire::{self, Frame};
use crate::link::{Guard, Handler, Limits, Link, Peer};
use crate::secret_file;

/// A listening control socket. Dropping it stops accepting and removes the socket.
pub struct Control {
    path: PathBuf,
    accepting: JoinHandle<()>,
    _lock: File,
}

impl Control {
    /// Listens at `path`, in a directory of mode 0700 that is made if need be. Only processes of this user get through.
    ///
    /// # Errors
    /// [`Fault`] when another process listens there, or the directory is open to others.
    pub fn bind(path: &Path, handler: Arc<dyn Handler>, limits: Limits) -> Result<Self, Fault> {
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        secret_file::make_dir(dir)?;
        let lock = take_lock(path)?;
        // With the lock in hand, a socket that is left is a dead process's.
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Fault::at(path, &error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(|e| Fault::at(path, &e))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .map_err(|e| Fault::at(path, &e))?;
        let accepting = tokio::spawn(accept_all(listener, handler, limits));
        Ok(Self { path: path.to_owned(), accepting, _lock: lock })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.accepting.abort();
        let _already_gone = fs::remove_file(&self.path);
    }
}

/// Connects to the control socket of a running process.
///
/// # Errors
/// [`Fault`] when nothing listens there, or it is another user's.
pub async fn connect(
    path: &Path,
    handler: Arc<dyn Handler>,
    limits: Limits,
) -> Result<Link, Fault> {
    let name = || path.display().to_string();
    let stream = UnixStream::connect(path);
    let mut stream = stream.await.map_err(|error| {
        Fault::new(name(), error.to_string(), "start the process that this command speaks to")
    })?;
    let peer = same_user(&stream).ok_or_else(|| {
        Fault::new(name(), "belongs to another user's process", "run as the user who started it")
    })?;
    let first = wire::read(&mut stream, limits.frame_bytes, limits.handshake, limits.handshake);
    match first.await {
        Ok(Frame::Welcome) => {}
        Ok(_) => return Err(Fault::new(name(), "speaks another protocol", "compare the versions")),
        Err(error) => return Err(Fault::new(name(), error.to_string(), "try again")),
    }
    Ok(Link::start(stream, peer, handler, limits, Guard::default(), false))
}

async fn accept_all(listener: UnixListener, handler: Arc<dyn Handler>, limits: Limits) {
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: accepting at once again would spin.
            let never = std::future::pending::<()>();
            let _waited = timeout(std::time::Duration::from_millis(50), never).await;
            continue;
        };
        let Some(peer) = same_user(&stream) else {
            tracing::warn!("refused: a process of another user at the control socket");
            continue;
        };
        let Ok(seat) = Arc::clone(&room).try_acquire_owned() else { continue };
        let guard = Guard { pins: None, _held: vec![Box::new(seat)] };
        Link::start(stream, peer, Arc::clone(&handler), limits, guard, true);
    }
}

/// The peer, if the kernel says that it runs as our user (`SO_PEERCRED`).
fn same_user(stream: &UnixStream) -> Option<Peer> {
    let uid = stream.peer_cred().ok()?.uid();
    (uid == rustix::process::geteuid().as_raw()).then_some(Peer::User(uid))
}

fn take_lock(path: &Path) -> Result<File, Fault> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&beside).map_err(|e| Fault::at(&beside, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(Fault::at(&beside, &error)),
        Err(TryLockError::WouldBlock) => {
            let why = "another process listens at this socket";
            Err(Fault::new(path.display().to_string(), why, "stop that process first"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{BoxFuture, Refused, Request, Silent};
    use std::os::unix::fs::MetadataExt as _;
    use std::time::Duration;

    struct Echo;

    impl Handler for Echo {
        fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
            Box::pin(
                async move { Ok([request.peer.to_string().as_bytes(), &request.body].concat()) },
            )
        }
    }

    #[tokio::test]
    async fn the_same_user_speaks_over_the_socket_and_nobody_else_can_reach_it() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("run/control.sock");
        let control = Control::bind(&path, Arc::new(Echo), Limits::default()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let link = connect(&path, Arc::new(Silent), Limits::default()).await.unwrap();
        let answer = link.call("hello", b"!".to_vec(), Duration::from_secs(5)).await.unwrap();
        let me = rustix::process::geteuid().as_raw();
        assert_eq!(answer, format!("user {me}!").into_bytes());
        assert!(Control::bind(&path, Arc::new(Echo), Limits::default()).is_err(), "taken");
        drop(control);
        assert!(connect(&path, Arc::new(Silent), Limits::default()).await.is_err());
        assert!(Control::bind(&path, Arc::new(Echo), Limits::default()).is_ok(), "free again");
    }

    #[tokio::test]
    async fn a_directory_open_to_others_is_refused() {
        let room = tempfile::tempdir().unwrap();
        fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let bound = Control::bind(&room.path().join("s"), Arc::new(Echo), Limits::default());
        assert!(bound.err().unwrap().mend().starts_with("chmod 700"));
    }
}
