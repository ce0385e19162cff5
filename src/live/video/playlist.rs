//! The list of segments that players of HLS ask for (RFC 8216).

use super::ring::Ring;
use std::fmt::Write as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

impl Ring {
    /// `index.m3u8`, with `query` (such as `?token=…`, or nothing) behind every address. Empty as long as no segment is whole: players ask again.
    pub fn playlist(&self, query: &str) -> String {
        let mut list = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        let first = self.whole().next();
        let (number, era) = first.map_or((0, 0), |segment| (segment.number, segment.era));
        // Writing into a `String` can't fail.
        let _ = writeln!(list, "#EXT-X-TARGETDURATION:{}", self.longest.max(1));
        let _ = writeln!(list, "#EXT-X-MEDIA-SEQUENCE:{number}\n#EXT-X-DISCONTINUITY-SEQUENCE:{era}");
        let mut shown = None;
        for segment in self.whole() {
            if shown != Some(segment.era) {
                if shown.is_some() {
                    list.push_str("#EXT-X-DISCONTINUITY\n");
                }
                let _ = writeln!(list, "#EXT-X-MAP:URI=\"init-{}.mp4{query}\"", segment.era);
                if let Some(date) = date(segment.at) {
                    let _ = writeln!(list, "#EXT-X-PROGRAM-DATE-TIME:{date}");
                }
                shown = Some(segment.era);
            }
            let _ = writeln!(list, "#EXTINF:{:.5},", segment.duration.as_secs_f64());
            let _ = writeln!(list, "segment-{}.m4s{query}", segment.number);
        }
        list
    }
}

/// Milliseconds since 1970 as RFC 3339 writes them.
fn date(ms: i64) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    moment.format(&Rfc3339).ok()
}
