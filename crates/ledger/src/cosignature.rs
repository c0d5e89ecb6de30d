//! C2SP tlog-cosignature, Ed25519 form (type 4): a witness's word that it saw this checkpoint extend every earlier one.

use quorate_terms::Signature;

use crate::error::Refuted;
use crate::note::{KeyKind, Note, NoteSignature, VerifierKey};

/// The bytes that a witness signs: a header, its time in seconds since the epoch, and the checkpoint's text.
pub fn message(time_s: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes()
}

/// The line by which a witness cosigns a checkpoint's text. `sign` signs the bytes that it is given.
///
/// Whoever calls this has checked that the checkpoint extends every one that it cosigned before, and has made that
/// durable.
pub fn cosign(
    witness: &VerifierKey,
    time_s: u64,
    text: &str,
    sign: impl FnOnce(&[u8]) -> Signature,
) -> NoteSignature {
    let signature = sign(&message(time_s, text));
    witness.line([time_s.to_be_bytes().as_slice(), signature.as_bytes()].concat())
}

/// Checks a witness's line over the note's text and gives its time in seconds since the epoch.
///
/// # Errors
/// [`Refuted`] when the line is missing or does not verify.
pub fn verify(witness: &VerifierKey, note: &Note) -> Result<u64, Refuted> {
    let no = |why: &str| Refuted::new(format!("cosignature of `{}`", witness.name()), why);
    let line = witness.find(note).ok_or_else(|| no("is missing"))?;
    let (time, signature) =
        line.bytes.split_first_chunk::<8>().ok_or_else(|| no("does not have 72 bytes"))?;
    let signature: [u8; 64] = signature.try_into().map_err(|_| no("does not have 72 bytes"))?;
    if witness.kind() != KeyKind::Witness {
        return Err(no("is by a key that is not a witness's"));
    }
    let time_s = u64::from_be_bytes(*time);
    let message = message(time_s, &note.text);
    if witness.key().verifies_bytes(&message, &Signature::from_bytes(signature)) {
        return Ok(time_s);
    }
    Err(no("does not verify"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};
    use quorate_terms::PublicKey;

    const TEXT: &str = "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

    fn witness(kind: KeyKind) -> (SigningKey, VerifierKey) {
        let secret = SigningKey::from_bytes(&[8; 32]);
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes()).unwrap();
        (secret, VerifierKey::new("w", kind, key).unwrap())
    }

    fn cosigned() -> Note {
        let (secret, key) = witness(KeyKind::Witness);
        let sign = |m: &[u8]| Signature::from_bytes(secret.sign(m).to_bytes());
        Note { text: TEXT.into(), signatures: vec![cosign(&key, 1_679_315_147, TEXT, sign)] }
    }

    #[test]
    fn the_message_is_that_of_the_specification() {
        let expected = "cosignature/v1\ntime 1679315147\nlog\n0\n";
        assert_eq!(message(1_679_315_147, "log\n0\n"), expected.as_bytes());
    }

    #[test]
    fn a_cosignature_carries_its_time() {
        assert_eq!(verify(&witness(KeyKind::Witness).1, &cosigned()).unwrap(), 1_679_315_147);
        assert!(verify(&witness(KeyKind::Log).1, &cosigned()).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_cosignature_is_refuted() {
        for at in 0..72 {
            let mut note = cosigned();
            note.signatures[0].bytes[at] ^= 1;
            assert!(verify(&witness(KeyKind::Witness).1, &note).is_err(), "byte {at}");
        }
        let mut note = cosigned();
        note.signatures[0].bytes.push(0);
        assert!(verify(&witness(KeyKind::Witness).1, &note).is_err());
    }

    #[test]
    fn a_logs_own_signature_is_no_cosignature() {
        let (secret, _) = witness(KeyKind::Log);
        let (_, key) = witness(KeyKind::Witness);
        let plain = secret.sign(TEXT.as_bytes()).to_bytes();
        let line = key.line([[0; 8].as_slice(), &plain].concat());
        let note = Note { text: TEXT.into(), signatures: vec![line] };
        assert!(verify(&key, &note).is_err());
    }
}
