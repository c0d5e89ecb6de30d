use super::*;

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
