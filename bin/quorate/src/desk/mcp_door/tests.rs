use super::*;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn without_a_list_the_door_reads_and_a_list_that_is_none_stops_it() {
    assert_eq!(ceiling(None).unwrap(), Band::Read);
    assert_eq!(ceiling(Some("read,prepare,sign")).unwrap(), Band::Sign);
    for bad in ["", "read,sign", "admin", "prepare", "read,read"] {
        assert!(ceiling(Some(bad)).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_bad_band_list_is_told_before_the_token_or_the_desk_is_looked_for() {
    let nowhere = Path::new("/nonexistent");
    let fault = mcp_stdio(nowhere, nowhere, Some("read,sign")).await.unwrap_err();
    assert!(fault.to_string().contains("bands"), "{fault}");
}

#[test]
fn a_token_file_that_others_can_read_or_that_is_empty_is_refused() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("token");
    std::fs::set_permissions(room.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let write = |text: &str, mode| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("qrt_secret\n", 0o644);
    let fault = read_token(&path).unwrap_err().to_string();
    assert!(fault.contains("chmod 600") && !fault.contains("qrt_secret"), "{fault}");
    write("\n", 0o600);
    assert!(read_token(&path).is_err());
    write("qrt_secret\n", 0o600);
    assert_eq!(read_token(&path).unwrap(), Digest::of(tag::TOKEN, b"qrt_secret"));
}
