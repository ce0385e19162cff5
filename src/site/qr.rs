//! A text as a QR code: an SVG of one path, which takes no picture and no script.

use crate::error::{Error, Result};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of white around the code, without which readers don't find it (ISO 18004 §5.3.8).
const QUIET: usize = 4;

/// The drawing, for a template to show as it is. It is dark on white in every scheme: many readers know no other.
///
/// # Errors
/// `Internal` for more text than a code can hold, which is some two thousand characters.
pub fn svg(text: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(Error::internal)?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let length = run.len();
            if run[0] == Color::Dark {
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
            }
            x += length;
        }
    }
    Ok(format!(
        r#"<svg class="qr" viewBox="0 0 {side} {side}" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><path d="{path}"/></svg>"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_is_the_code_with_white_around_it() {
        let drawn = svg("https://hub.example/handover?code=1-abcdefgh").unwrap();
        let code =
            QrCode::with_error_correction_level("https://hub.example/handover?code=1-abcdefgh", EcLevel::M)
                .unwrap();
        let side = code.width() + 8;
        assert!(drawn.contains(&format!("viewBox=\"0 0 {side} {side}\"")), "{drawn}");
        let mut dark = vec![vec![false; side]; side];
        let path = drawn.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        for run in path.split('M').skip(1) {
            let (place, length) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = length.split('v').next().unwrap().parse().unwrap();
            assert!(run.ends_with(&format!("v1h-{length}z")), "{run}");
            dark[y][x..x + length].fill(true);
        }
        for (y, row) in dark.iter().enumerate() {
            for (x, is_dark) in row.iter().enumerate() {
                let inside = (4..side - 4).contains(&x) && (4..side - 4).contains(&y);
                assert_eq!(*is_dark, inside && code[(x - 4, y - 4)] == Color::Dark, "{x} {y}");
            }
        }
        assert!(svg(&"x".repeat(5000)).is_err());
    }
}
