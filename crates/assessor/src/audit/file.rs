//! Files on file: their digest, size and kind, the kind by their first bytes and never by their name alone.

use quorate_terms::{Digest, Malformed};
use serde::{Deserialize, Serialize};

/// A file as the register knows it. The bytes lie sealed elsewhere, under their digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name when it came.
    pub name: String,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// Its media type, as the first bytes show it.
    pub media: String,
}

/// Which files are taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRules {
    /// The largest file, in bytes.
    pub bytes_max: u64,
    /// Kinds; what is none of them is refused.
    pub kind: Vec<FileKind>,
}

/// One kind of file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileKind {
    /// Its media type.
    pub media: String,
    /// How names of it end.
    pub endings: Vec<String>,
    /// Its first bytes, hexadecimal; none for plain text, which must be UTF-8 without control characters.
    pub magic: Option<String>,
}

impl FileRules {
    /// Takes a file, or says why not.
    ///
    /// # Errors
    /// [`Malformed`] for a file that is empty or too large, whose name ends like none of the kinds or hides something, or
    /// whose bytes are not of the kind that its name says.
    pub fn admit(&self, name: &str, bytes: &[u8]) -> Result<FileEntry, Malformed> {
        let bad = |why: &str, mend: &str| Malformed::new("file", why, mend);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size == 0 || size > self.bytes_max {
            let mend = format!("give 1 to {} bytes", self.bytes_max);
            return Err(bad("is empty or too large", &mend));
        }
        let hidden = name.chars().any(|c| is_hidden(c) || c == '/' || c == '\\');
        if name.is_empty() || name.len() > 200 || hidden {
            return Err(bad("has no plain name", "give it a short name without a path"));
        }
        let lower = name.to_lowercase();
        let named =
            |kind: &&FileKind| kind.endings.iter().any(|end| lower.ends_with(&format!(".{end}")));
        let kind = self.kind.iter().find(named);
        let kind = kind.ok_or_else(|| bad("is of a kind that is not taken", "export it as PDF"))?;
        if !kind.is(bytes) {
            return Err(bad(
                &format!("is not {}, whatever its name says", kind.media),
                "give the file itself",
            ));
        }
        Ok(FileEntry {
            name: name.to_owned(),
            digest: Digest::sha256(bytes),
            size,
            media: kind.media.clone(),
        })
    }

    /// Whether an entry could have come through [`FileRules::admit`]: its media type is taken and its size allowed.
    pub fn allows(&self, entry: &FileEntry) -> bool {
        let known = self.kind.iter().any(|kind| kind.media == entry.media);
        known && entry.size > 0 && entry.size <= self.bytes_max
    }
}

impl FileKind {
    fn is(&self, bytes: &[u8]) -> bool {
        match &self.magic {
            Some(magic) => {
                hex::decode(magic).is_ok_and(|magic| !magic.is_empty() && bytes.starts_with(&magic))
            }
            None => std::str::from_utf8(bytes)
                .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c))),
        }
    }
}

/// Whether a character of a name is not seen as what it is: it controls, turns the direction of writing, or has no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Width and height of a PNG or JPEG, from its header; none when it is neither.
pub fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16) == Some(b"IHDR") {
        let number = |at: usize| {
            Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
        };
        return Some((number(16)?, number(20)?));
    }
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, marker, high, low, tail @ ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // Start of frame: C0 to CF, but for the three that are tables.
        if (0xc0..=0xcf).contains(marker) && ![0xc4, 0xc8, 0xcc].contains(marker) {
            let [_, h1, h2, w1, w2, ..] = tail else { return None };
            return Some((
                u16::from_be_bytes([*w1, *w2]).into(),
                u16::from_be_bytes([*h1, *h2]).into(),
            ));
        }
        rest = tail.get(length.checked_sub(2)?..)?;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn rules() -> FileRules {
        let kind = |media: &str, ending: &str, magic: Option<&str>| FileKind {
            media: media.to_owned(),
            endings: vec![ending.to_owned()],
            magic: magic.map(str::to_owned),
        };
        FileRules {
            bytes_max: 1000,
            kind: vec![
                kind("application/pdf", "pdf", Some("255044462d")),
                kind("image/png", "png", Some("89504e470d0a1a0a")),
                kind("text/plain", "txt", None),
            ],
        }
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let check = |name: &str, bytes: &[u8], taken: bool| {
            assert_eq!(rules().admit(name, bytes).is_ok(), taken, "{name}");
        };
        check("policy.pdf", b"%PDF-1.7 text", true);
        check("POLICY.PDF", b"%PDF-1.7 text", true);
        check("policy.pdf", b"MZ\x90 a program", false);
        check("policy.pdf.exe", b"%PDF-1.7", false);
        check("notes.txt", b"plain words\n", true);
        check("notes.txt", b"hidden \x00 byte", false);
        check("notes.txt", b"\xff\xfe", false);
        check("notes.txt", b"", false);
        check("notes.txt", &[b'a'; 1001], false);
        check("../notes.txt", b"plain", false);
        check("photo.png", b"%PDF-1.7", false);
        check("page.html", b"<script>", false);
        check("page.svg", b"<svg><script/></svg>", false);
        check("invoice\u{202e}txt.exe", b"plain", false);
        check("gpj\u{2066}.txt", b"plain", false);
        check("no\u{200b}tes.txt", b"plain", false);
        check("דוח.txt", b"plain", true);
    }

    #[test]
    fn a_picture_says_its_size_in_its_header() {
        let png = [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
            &500_u32.to_be_bytes(),
            &400_u32.to_be_bytes(),
        ];
        assert_eq!(picture_size(&png.concat()), Some((500, 400)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\x02\x58\x02\x80\x01";
        assert_eq!(picture_size(jpeg), Some((640, 600)));
        assert_eq!(picture_size(b"\xff\xd8\xff\xe0\0\0"), None);
        assert_eq!(picture_size(b"GIF89a"), None);
    }

    proptest! {
        #[test]
        fn bytes_from_outside_never_panic(name in ".{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = rules().admit(&name, &bytes);
            let _ = picture_size(&bytes);
            let _ = picture_size(&[b"\xff\xd8".as_slice(), &bytes].concat());
        }
    }
}
