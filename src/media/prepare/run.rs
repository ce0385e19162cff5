//! Runs ffmpeg or ffprobe so that a hostile file harms nobody: no shell, nothing to read from, a process group of its
//! own, bounds on time, memory and what it writes and says; killed when nobody waits for it any more.

use super::limits::Limits;
use super::tools::Guard;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, Command};

/// How much of what it complains is kept: the end, which says why it ended.
const COMPLAINTS: usize = 16 * 1024;
/// Politeness: people at the pages come first.
const NICE: i32 = 15;
/// Files that it may have open.
const FILES: u64 = 64;

/// Why a run came to nothing.
#[derive(Debug)]
pub enum Trouble {
    /// It can't be started; nothing is said about the file.
    NotStarted(std::io::Error),
    /// It ran into one of its bounds.
    TooMuch,
    /// It ended badly; the last that it complained.
    Failed(String),
}

/// Runs `program` to its end. `hear` gets what it says, piece by piece. Dropping the future kills it.
/// Answers with what it complained.
pub async fn run(
    program: &Path,
    guard: &Guard,
    arguments: &[OsString],
    limits: Limits,
    mut hear: impl FnMut(&[u8]),
) -> Result<String, Trouble> {
    let mut running = Running::start(program, guard, arguments, limits)?;
    let (Some(mut output), Some(errors)) = (running.child.stdout.take(), running.child.stderr.take()) else {
        return Err(Trouble::NotStarted(std::io::ErrorKind::BrokenPipe.into()));
    };
    let listen = async {
        let (mut piece, mut heard) = (vec![0; 64 * 1024], 0);
        while let Ok(n @ 1..) = output.read(&mut piece).await {
            heard += n as u64;
            if heard > limits.output {
                return Err(Trouble::TooMuch);
            }
            hear(&piece[..n]);
        }
        running.child.wait().await.map_err(Trouble::NotStarted)
    };
    let complain = async { Ok(gather(errors).await) };
    let ended = tokio::time::timeout(limits.wall, async { tokio::try_join!(listen, complain) }).await;
    let (status, complaints) = ended.unwrap_or(Err(Trouble::TooMuch))?;
    running.ended = true;
    match status {
        status if status.success() => Ok(complaints),
        status if was_stopped(status) => Err(Trouble::TooMuch),
        _ => Err(Trouble::Failed(complaints)),
    }
}

/// Reads to the end and keeps the last part.
async fn gather(mut errors: ChildStderr) -> String {
    let (mut kept, mut piece) = (Vec::new(), vec![0; 8 * 1024]);
    while let Ok(n @ 1..) = errors.read(&mut piece).await {
        kept.extend_from_slice(&piece[..n]);
        if kept.len() > 2 * COMPLAINTS {
            kept.drain(..kept.len() - COMPLAINTS);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Whether the system stopped it at one of its bounds: SIGXCPU, SIGXFSZ, or SIGKILL after it.
fn was_stopped(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let stops = [rustix::process::Signal::XCPU, rustix::process::Signal::XFSZ, rustix::process::Signal::KILL];
    status.signal().is_some_and(|signal| stops.iter().any(|stop| stop.as_raw() == signal))
}

struct Running {
    child: Child,
    group: Option<rustix::process::Pid>,
    ended: bool,
}

impl Running {
    fn start(program: &Path, guard: &Guard, arguments: &[OsString], limits: Limits) -> Result<Self, Trouble> {
        let mut line = chain(guard, limits);
        line.push(program.into());
        let mut command = Command::new(line.remove(0));
        command.args(line);
        command
            .args(arguments)
            // Nothing else of the server's surroundings is its business: no proxies, no passwords, no report files.
            .env_clear()
            .envs(["PATH", "LD_LIBRARY_PATH"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(Trouble::NotStarted)?;
        let group = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            restrain(group, limits);
        }
        Ok(Self { child, group, ended: false })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After its end the number may be somebody else's.
        if let (false, Some(group)) = (self.ended, self.group) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// What stands before the program. Each of them replaces itself by what follows and keeps its number.
fn chain(guard: &Guard, limits: Limits) -> Vec<OsString> {
    let mut line: Vec<OsString> = Vec::new();
    if let Some(setpriv) = &guard.setpriv {
        line.push(setpriv.into());
        line.extend(["--pdeathsig", "KILL", "--"].map(Into::into));
    }
    if let Some(prlimit) = &guard.prlimit {
        line.push(prlimit.into());
        let Limits { memory, cpu, file, .. } = limits;
        let bounds = [("as", memory), ("cpu", cpu), ("fsize", file), ("core", 0), ("nofile", FILES)];
        line.extend(bounds.map(|(name, most)| format!("--{name}={most}").into()));
        line.push("--".into());
    }
    line
}

/// Sets the bounds from outside, where nothing could set them before.
fn restrain(child: rustix::process::Pid, limits: Limits) {
    let _ = rustix::process::setpriority_process(Some(child), NICE);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, prlimit};
        for (resource, most) in [
            (Resource::As, limits.memory),
            (Resource::Cpu, limits.cpu),
            (Resource::Fsize, limits.file),
            (Resource::Core, 0),
            (Resource::Nofile, FILES),
        ] {
            let bound = Rlimit { current: Some(most), maximum: Some(most) };
            if let Err(error) = prlimit(Some(child), resource, bound) {
                tracing::debug!(%error, ?resource, "a bound could not be set");
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = limits;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn limits() -> Limits {
        Limits { wall: Duration::from_mins(1), cpu: 30, memory: 1 << 30, file: 4096, output: 4096 }
    }

    fn guard() -> Guard {
        Guard::find(std::env::var_os("PATH").as_deref())
    }

    async fn sh(script: &str, limits: Limits) -> Result<String, Trouble> {
        let arguments = ["-c".into(), script.into()];
        run(Path::new("/bin/sh"), &guard(), &arguments, limits, |_| ()).await
    }

    #[tokio::test]
    async fn what_ends_well_is_told_from_what_ends_badly() {
        assert!(matches!(sh("echo hm >&2", limits()).await, Ok(said) if said == "hm\n"));
        assert!(
            matches!(sh("echo no >&2; exit 3", limits()).await, Err(Trouble::Failed(said)) if said == "no\n")
        );
        let missing = run(Path::new("/nowhere/ffmpeg"), &Guard::default(), &[], limits(), |_| ()).await;
        assert!(matches!(missing, Err(Trouble::NotStarted(_))));
    }

    #[tokio::test]
    async fn a_bound_ends_it() {
        let short = Limits { wall: Duration::from_millis(200), ..limits() };
        let begun = Instant::now();
        assert!(matches!(sh("sleep 600", short).await, Err(Trouble::TooMuch)));
        assert!(begun.elapsed() < Duration::from_mins(1));
        assert!(matches!(sh("cat /dev/zero", limits()).await, Err(Trouble::TooMuch)));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_file_that_grows_too_large_ends_it() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("grows");
        let script = format!("exec cat /dev/zero > {}", file.display());
        assert!(matches!(sh(&script, limits()).await, Err(Trouble::TooMuch)));
        assert!(std::fs::metadata(file)?.len() <= 4096);
        Ok(())
    }

    #[tokio::test]
    async fn its_children_end_with_it() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let pid = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {0}.part; mv {0}.part {0}; wait", pid.display());
        let begun = Instant::now();
        let waiting = sh(&script, limits());
        let gone = |id: &str| {
            std::fs::read_to_string(format!("/proc/{id}/stat")).map_or(true, |stat| stat.contains(") Z "))
        };
        let seen = async {
            loop {
                if let Ok(id) = std::fs::read_to_string(&pid) {
                    let id = id.trim().to_owned();
                    let was_gone = gone(&id);
                    break (id, was_gone);
                }
                assert!(begun.elapsed() < Duration::from_mins(1), "the child never said its number");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // What waits is dropped, and so ended, before the arm of what was seen is taken.
        let (id, was_gone) = tokio::select! {
            ended = waiting => panic!("it ended by itself: {ended:?}"),
            seen = seen => seen,
        };
        assert!(cfg!(not(target_os = "linux")) || !was_gone, "process {id} was gone before");
        let begun = Instant::now();
        while cfg!(target_os = "linux") && !gone(&id) {
            assert!(begun.elapsed() < Duration::from_mins(1), "process {id} lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn it_learns_nothing_of_the_surroundings() {
        let mut said = Vec::new();
        let arguments = ["-c".into(), "env; pwd; cat".into()];
        let ran =
            run(Path::new("/bin/sh"), &guard(), &arguments, limits(), |piece| said.extend_from_slice(piece))
                .await;
        assert!(ran.is_ok());
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("LC_ALL=C") && !said.contains("HOME=") && said.ends_with("/\n"), "{said}");
    }
}
