//! A server that is a process of its own, whose time and memory are read from `/proc`.

#![allow(dead_code, reason = "each bench uses its own part of this")]

use crate::figures::Benched;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// `USER_HZ`, which is the same on every Linux.
pub const TICKS: f64 = 100.0;

/// A server to be measured; it ends when this is dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts it, and waits until somebody listens at `address`.
    pub async fn start(command: &mut Command, address: SocketAddr) -> Benched<Self> {
        let server = Self { child: command.spawn()?, address };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).await.is_err() {
            if Instant::now() > end {
                return Err("the server has not come up".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds that it, and those it waited for, have computed.
    pub fn cpu(&self) -> Benched<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold anything: user and system time are the 12th and 13th.
        let fields = stat.rsplit_once(") ").ok_or("the process has no figures")?.1;
        let ticks = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
        Ok(ticks.sum::<f64>() / TICKS)
    }

    /// What `/proc/PID/{file}` says of it, as a number: KiB of memory, bytes written to disks.
    pub fn figure(&self, file: &str, name: &str) -> Benched<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such figure")?;
        Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?)
    }
}

/// An address on this machine that nobody has at the moment.
pub fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
