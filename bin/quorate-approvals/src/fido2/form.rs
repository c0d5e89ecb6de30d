//! What libfido2's programs write (fido2-assert(1), fido2-cred(1)): lines of base64, in which authenticator data is a CBOR byte
//! string. Bytes of outside: whatever they are, this gives nothing rather than something else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::passkey::{Blob, PasskeyKey};

/// Lines of both programs' answers: authenticator data of an assertion and its signature; those of a new credential.
const ASSERTION_DATA: usize = 2;
const ASSERTION_SIGNATURE: usize = 3;
const NEW_DATA: usize = 3;

/// Flags of authenticator data (Web Authentication Level 3, section 6.1): a new credential, extensions.
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// An ES256 key as authenticators must write it (RFC 9052, section 7; canonical CBOR): kind, algorithm and curve, then both
/// coordinates with 32 bytes each. A key of another kind begins otherwise.
const KEY_X: [u8; 10] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
const KEY_Y: [u8; 3] = [0x22, 0x58, 0x20];

/// Authenticator data and signature of what `fido2-assert -G` wrote.
pub(super) fn assertion(said: &str) -> Option<(Blob, Blob)> {
    let data = byte_string(&line(said, ASSERTION_DATA)?)?.to_vec();
    Some((Blob::new(data).ok()?, Blob::new(line(said, ASSERTION_SIGNATURE)?).ok()?))
}

/// Handle and key of what `fido2-cred -M` wrote.
pub(super) fn credential(said: &str) -> Option<(Blob, PasskeyKey)> {
    attested(byte_string(&line(said, NEW_DATA)?)?)
}

fn line(said: &str, at: usize) -> Option<Vec<u8>> {
    STANDARD.decode(said.lines().nth(at)?.trim()).ok()
}

/// What is in a byte string of definite length after which nothing follows (RFC 8949, section 3.1).
fn byte_string(cbor: &[u8]) -> Option<&[u8]> {
    let (head, rest) = cbor.split_first()?;
    let (length, body) = match *head {
        short @ 0x40..=0x57 => (usize::from(short & 0x1f), rest),
        0x58 => rest.split_first().map(|(length, body)| (usize::from(*length), body))?,
        0x59 => {
            let (length, body) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), body)
        }
        _ => return None,
    };
    (body.len() == length).then_some(body)
}

/// Handle and key in authenticator data of a new credential (Web Authentication Level 3, section 6.5.1).
fn attested(data: &[u8]) -> Option<(Blob, PasskeyKey)> {
    let (_party, rest) = data.split_first_chunk::<32>()?;
    let (flags, rest) = rest.split_first()?;
    let (_counter, rest) = rest.split_first_chunk::<4>()?;
    let (_model, rest) = rest.split_first_chunk::<16>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (handle, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (x, rest) = rest.strip_prefix(&KEY_X)?.split_first_chunk::<32>()?;
    let (y, rest) = rest.strip_prefix(&KEY_Y)?.split_first_chunk::<32>()?;
    let is_whole = rest.is_empty() == (flags & EXTENSIONS == 0);
    let handle = Blob::new(handle.to_vec()).ok()?;
    if flags & ATTESTED == 0 || !is_whole || !handle.is_handle() {
        return None;
    }
    let point: [u8; 65] = [&[4][..], x, y].concat().try_into().ok()?;
    Some((handle, PasskeyKey::from_bytes(point).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn new_credential(flags: u8, key: &[u8], tail: &[u8]) -> Vec<u8> {
        let head = [&[1_u8; 32][..], &[flags], &[0; 4], &[0; 16], &[0, 16], &[7; 16]].concat();
        [head.as_slice(), key, tail].concat()
    }

    fn key() -> Vec<u8> {
        [&KEY_X[..], &[2; 32], &KEY_Y[..], &[3; 32]].concat()
    }

    #[test]
    fn a_byte_string_is_read_whole_or_not_at_all() {
        let long: Vec<u8> = [&[0x59, 1, 0][..], &[9; 256]].concat();
        assert_eq!(byte_string(&long), Some(&[9; 256][..]));
        assert_eq!(byte_string(&[0x40]), Some(&[][..]));
        assert_eq!(byte_string(&[0x58, 2, 5, 6]), Some(&[5, 6][..]));
        // Too short, too long, of no length, of indefinite length, a text.
        let bad: [&[u8]; 6] = [&[0x42, 1], &[0x41, 1, 2], &[], &[0x58], &[0x5f, 0xff], &[0x61, 65]];
        for bytes in bad {
            assert_eq!(byte_string(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_new_credential_gives_its_handle_and_an_es256_key_and_no_other() {
        let (handle, read) = attested(&new_credential(0x45, &key(), &[])).unwrap();
        assert_eq!(handle.as_bytes(), &[7; 16]);
        assert_eq!(read.as_bytes().to_vec(), [&[4_u8][..], &[2; 32], &[3; 32]].concat());
        assert!(attested(&new_credential(0xc5, &key(), &[0xa0])).is_some(), "with extensions");
        assert!(attested(&new_credential(0x05, &key(), &[])).is_none(), "no new credential");
        assert!(attested(&new_credential(0x45, &key(), &[0xa0])).is_none(), "something follows");
        assert!(attested(&new_credential(0xc5, &key(), &[])).is_none(), "extensions are missing");
        // EdDSA: kind 1 (OKP), algorithm -8, curve 6.
        let other: [&[u8]; 2] =
            [&[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20], &[2; 32]];
        assert!(attested(&new_credential(0x45, &other.concat(), &[])).is_none(), "another kind");
    }

    proptest! {
        #[test]
        fn no_answer_of_a_program_makes_reading_it_panic(text in ".*") {
            let _any = (assertion(&text), credential(&text));
        }

        #[test]
        fn no_bytes_make_reading_them_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let _any = (byte_string(&bytes), attested(&bytes));
            let lines = vec![STANDARD.encode(&bytes); 6].join("\n");
            let _any = (assertion(&lines), credential(&lines));
        }
    }
}
