//! Films of high dynamic range (ITU-R BT.2100) made fit for screens without it. As they are, those show them grey.

use super::limits::Limits;
use super::run::run;
use super::tools::Tools;
use std::ffi::OsString;

/// The curves of BT.2100: perceptual quantizer and hybrid log-gamma.
const CURVES: [&str; 2] = ["smpte2084", "arib-std-b67"];
/// Primaries and matrices that zscale can turn into those of BT.709; what else a file says is damage.
const PRIMARIES: [&str; 6] = ["bt2020", "bt709", "smpte432", "smpte431", "smpte170m", "bt470bg"];
const MATRICES: [&str; 7] = ["bt2020nc", "bt2020c", "ictcp", "bt709", "smpte170m", "bt470bg", "gbr"];
/// White paper is as bright as this, ITU-R BT.2408; cd/m².
const WHITE: u32 = 203;

/// The colours of a film of high dynamic range, as ffmpeg names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tones {
    curve: &'static str,
    primaries: &'static str,
    matrix: &'static str,
}

impl Tones {
    /// By what ffprobe says of a stream; nothing for a film of ordinary range. What isn't said is that of BT.2100.
    pub fn of(curve: Option<&str>, primaries: Option<&str>, matrix: Option<&str>) -> Option<Self> {
        let one_of =
            |all: &[&'static str], said: Option<&str>| all.iter().copied().find(|one| said == Some(one));
        Some(Self {
            curve: one_of(&CURVES, curve)?,
            primaries: one_of(&PRIMARIES, primaries).unwrap_or(PRIMARIES[0]),
            matrix: one_of(&MATRICES, matrix).unwrap_or(MATRICES[0]),
        })
    }

    /// Filters that make BT.709 of it, with a comma behind. What is no brighter than skin stays as it is, and the
    /// brightest is drawn together.
    pub fn filter(self) -> String {
        let Self { curve, primaries, matrix } = self;
        format!(
            "setparams=color_trc={curve}:color_primaries={primaries}:colorspace={matrix},\
             zscale=t=linear:npl={WHITE},format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0,\
             zscale=t=bt709:m=bt709:r=tv,"
        )
    }
}

/// Whether this ffmpeg has the filters.
pub async fn can_be_mapped(tools: &Tools) -> bool {
    let mut said = Vec::new();
    let arguments = ["-v", "quiet", "-filters"].map(OsString::from);
    let hear = |piece: &[u8]| said.extend_from_slice(piece);
    let ran = run(&tools.ffmpeg, &tools.guard, &arguments, Limits::looking(), hear).await;
    let said = String::from_utf8_lossy(&said);
    let has = |name: &str| said.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
    ran.is_ok() && has("zscale") && has("tonemap") && has("setparams")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_curves_of_high_range_are_mapped_and_nothing_of_the_file_gets_into_the_filter() {
        let phone = Tones::of(Some("arib-std-b67"), Some("bt2020"), Some("bt2020nc")).unwrap();
        assert!(phone.filter().starts_with(
            "setparams=color_trc=arib-std-b67:color_primaries=bt2020:colorspace=bt2020nc,zscale=t=linear"
        ));
        let hostile = Tones::of(Some("smpte2084"), Some("bt709,movie=/etc/passwd"), None).unwrap();
        assert_eq!((hostile.primaries, hostile.matrix), ("bt2020", "bt2020nc"));
        for curve in [None, Some("bt709"), Some("unknown"), Some("smpte2084,x")] {
            assert_eq!(Tones::of(curve, Some("bt2020"), Some("bt2020nc")), None, "{curve:?}");
        }
    }
}
