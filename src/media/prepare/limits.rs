//! What a run of ffmpeg may use at most. A hostile file makes it use all it can get.

use std::time::Duration;

/// Pixels of one side. No browser's decoder takes more.
pub const SIDE_MAX: u32 = 8192;
/// Pixels of one picture: 8K.
pub const PIXELS_MAX: u64 = 8192 * 4320;
/// The longest film or recording; ms. A file that says more is damaged, or wants to be waited for.
pub const DURATION_MAX: i64 = 100 * 3600 * 1000;

const MIB: u64 = 1024 * 1024;
/// Memory that ffprobe may ask for; address space, so that stacks and libraries count too.
const LOOKING: u64 = 2048 * MIB;
/// The same of ffmpeg: an 8K film with its reference pictures, on a machine with many cores.
const MAKING: u64 = 6144 * MIB;

/// The bounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until it is killed.
    pub wall: Duration,
    /// Seconds of all threads together.
    pub cpu: u64,
    /// Address space, bytes.
    pub memory: u64,
    /// The largest file that it may write, bytes.
    pub file: u64,
    /// What it may say on its standard output, bytes.
    pub output: u64,
}

impl Limits {
    /// For a look into a file, which takes as long however long the film is.
    pub fn looking() -> Self {
        Self { wall: Duration::from_mins(2), cpu: 60, memory: LOOKING, file: MIB, output: 8 * MIB }
    }

    /// For something made of a film of `duration` ms, whose file has at most `file` bytes. A slow machine with other
    /// things to do takes a few times as long as the film.
    pub fn making(duration: i64, file: u64) -> Self {
        let seconds = u64::try_from(duration / 1000).unwrap_or_default();
        Self {
            wall: Duration::from_secs(300 + seconds * 30),
            cpu: 300 + seconds * 40,
            memory: MAKING,
            file: file + MIB,
            // Progress: some 400 bytes twice a second.
            output: MIB + (300 + seconds * 30) * 1024,
        }
    }
}
