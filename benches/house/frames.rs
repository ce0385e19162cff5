//! A viewer of a stream, without a library: the frames that a server sends, walked at little cost.

use std::time::SystemTime;

/// Milliseconds of the machine's clock.
pub fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}

/// What all viewers of a run have seen.
#[derive(Default)]
pub struct Tally {
    /// How late each sample, with its picture, had wholly come, ms.
    pub late: Vec<f32>,
    /// Samples that never came, between two that did.
    pub lost: u64,
    pub ended: u64,
}

impl Tally {
    /// The share of samples that came sooner than this, ms.
    pub fn at(&mut self, share: f64) -> f32 {
        self.late.sort_by(f32::total_cmp);
        let at = (self.late.len() as f64 * share) as usize;
        self.late.get(at.min(self.late.len().saturating_sub(1))).copied().unwrap_or(f32::NAN)
    }
}

/// Where in the server's frames a viewer stands; what is in the pictures is not kept.
enum Place {
    Header,
    /// A text, or a question for life, of which so many bytes are still to come.
    Words(u8, usize),
    Picture(usize),
}

/// The frames of one viewer.
pub struct Frames {
    place: Place,
    /// The header, or the text, so far.
    held: Vec<u8>,
    /// When the sample that is under way was sent, ms.
    sent: f64,
    seq: u64,
    with_pictures: bool,
}

impl Frames {
    pub fn new(with_pictures: bool) -> Self {
        Self { place: Place::Header, held: Vec::new(), sent: 0.0, seq: 0, with_pictures }
    }

    /// Answers with what is to be sent back.
    pub fn take(&mut self, mut bytes: &[u8], tally: &mut Tally) -> Option<Vec<u8>> {
        let mut answer = None;
        while !bytes.is_empty() {
            match self.place {
                Place::Header => {
                    self.held.push(bytes[0]);
                    bytes = &bytes[1..];
                    if let Some((opcode, length)) = header(&self.held) {
                        self.held.clear();
                        self.place =
                            if opcode == 2 { Place::Picture(length) } else { Place::Words(opcode, length) };
                    }
                }
                Place::Words(opcode, left) => {
                    let taken = left.min(bytes.len());
                    self.held.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    self.place = Place::Words(opcode, left - taken);
                    if left == taken {
                        answer = self.words(opcode, tally).or(answer);
                        self.held.clear();
                        self.place = Place::Header;
                    }
                }
                Place::Picture(left) => {
                    let taken = left.min(bytes.len());
                    bytes = &bytes[taken..];
                    self.place = Place::Picture(left - taken);
                    if left == taken {
                        tally.late.push((now() - self.sent) as f32);
                        self.place = Place::Header;
                    }
                }
            }
        }
        answer
    }

    fn words(&mut self, opcode: u8, tally: &mut Tally) -> Option<Vec<u8>> {
        if opcode == 9 {
            // Masked with nothing.
            let mut pong = vec![0x8a, 0x80 | self.held.len() as u8, 0, 0, 0, 0];
            pong.extend_from_slice(&self.held);
            return Some(pong);
        }
        let said: serde_json::Value = serde_json::from_slice(&self.held).unwrap_or_default();
        if said["type"] == "sample" {
            let seq = said["seq"].as_u64().unwrap_or_default();
            tally.lost += if self.seq > 0 { seq - self.seq - 1 } else { 0 };
            self.seq = seq;
            self.sent = said["fields"]["t"].as_f64().unwrap_or_default();
            if !self.with_pictures {
                tally.late.push((now() - self.sent) as f32);
            }
        }
        None
    }
}

/// The opcode and the length of a frame, once its header is whole.
fn header(held: &[u8]) -> Option<(u8, usize)> {
    let length = match (held.get(1)? & 0x7f, held.len()) {
        (126, 4..) => usize::from(u16::from_be_bytes([held[2], held[3]])),
        (127, 10..) => u64::from_be_bytes(held[2..10].try_into().ok()?) as usize,
        (126 | 127, _) => return None,
        (short, _) => usize::from(short),
    };
    Some((held[0] & 0x0f, length))
}
