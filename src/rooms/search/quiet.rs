//! A thread for work that can wait: whatever else the machine has to do goes first.

use crate::error::{Error, Result};
use std::sync::mpsc;
use tokio::sync::oneshot;

/// Levels of courtesy (`nice`) that a thread can have; the last one.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LAST: i32 = 19;

type Work = Box<dyn FnOnce() + Send>;

/// The thread; ends with the last handle.
#[derive(Clone, Debug)]
pub struct Quiet(mpsc::Sender<Work>);

impl Quiet {
    /// # Errors
    /// When the system has no thread left.
    pub fn start(name: &str) -> Result<Self> {
        let (sender, works) = mpsc::channel::<Work>();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let run = move || {
            // On Linux this is the thread's own; elsewhere it would be the whole process's. Without it the work is only less quiet.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), LAST);
            for work in works {
                work();
            }
        };
        thread.spawn(run).map_err(Error::internal)?;
        Ok(Self(sender))
    }

    /// Does `work` after what came before it. Needs a caller that may wait.
    ///
    /// # Errors
    /// Those of `work`; an internal one when it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, done) = oneshot::channel();
        let work = move || {
            // Whoever asked may be gone, as at the end of the server.
            let _ = sender.send(work());
        };
        self.0.send(Box::new(work)).map_err(|_| Error::internal("a quiet thread has ended"))?;
        done.await.map_err(|_| Error::internal("quiet work came to no end"))?
    }
}
