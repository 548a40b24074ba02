use super::*;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::fmt::Write as _;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://chat.example.org";

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn keys() -> SigningKeys {
    SigningKeys::new([1; 32], [[2; 32]])
}

fn tokens() -> AccessTokens {
    AccessTokens::new(&keys(), ISSUER)
}

fn access(expires: i64) -> Access {
    Access {
        user: UserId::from_bytes(*b"sixteen bytes !!"),
        session: SessionId::from_bytes(*b"another sixteen!"),
        expires_at: at(expires),
        guest: false,
    }
}

fn good() -> String {
    tokens().sign(access(NOW + 900), at(NOW), [7; 16]).unwrap()
}

fn read(token: &str) -> Result<Access, BadToken> {
    tokens().read(token, at(NOW))
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A token of any header and any claims, signed by `secret` as HS256 would.
fn forge(header: &Value, claims: &str, secret: &[u8]) -> String {
    use hmac::{Hmac, Mac};
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn secret() -> [u8; 32] {
    keys().current().derive(LABEL)
}

/// A token of this server whose claims were changed before it was signed.
fn with_claim(name: &str, value: &str) -> String {
    let token = good();
    let mut claims = part(&token, 1);
    claims.as_object_mut().unwrap().remove(name);
    let mut claims = claims.to_string();
    if !value.is_empty() {
        claims.truncate(claims.len() - 1);
        write!(claims, ",\"{name}\":{value}}}").unwrap();
    }
    forge(&part(&token, 0), &claims, &secret())
}

fn with_header(change: impl FnOnce(&mut Value)) -> String {
    let token = good();
    let mut header = part(&token, 0);
    change(&mut header);
    forge(&header, &part(&token, 1).to_string(), &secret())
}

#[test]
fn a_token_says_who_asks_until_it_ends() {
    let token = good();
    assert_eq!(read(&token), Ok(access(NOW + 900)));
    assert_eq!(tokens().read(&token, at(NOW + 899)), Ok(access(NOW + 900)));
    assert_eq!(tokens().read(&token, at(NOW + 900)), Err(BadToken::Expired));
    // The forger of these tests makes good tokens, if nothing is changed: what follows is refused for its one change.
    assert_eq!(read(&with_header(|_| ())), Ok(access(NOW + 900)));
    assert_eq!(read(&with_claim("jti", "\"x\"")), Ok(access(NOW + 900)));
}

#[test]
fn an_older_key_is_accepted_and_the_new_one_signs() {
    let before = AccessTokens::new(&SigningKeys::new([2; 32], []), ISSUER);
    let token = before.sign(access(NOW + 900), at(NOW), [7; 16]).unwrap();
    assert!(read(&token).is_ok());
    assert_eq!(before.read(&good(), at(NOW)), Err(BadToken::UnknownKey));
    assert_eq!(part(&good(), 0)["kid"], json!(keys().current().id()));
}

#[test]
fn h01_h06_the_header_has_no_say() {
    let payload = good().split('.').nth(1).unwrap().to_owned();
    for alg in ["none", "None", "NONE", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({"typ": "JWT", "alg": alg}).to_string());
        assert!(read(&format!("{header}.{payload}.")).is_err(), "{alg}");
    }
    let token = good();
    for secret in [&b""[..], b"secret", &[1; 32], ISSUER.as_bytes(), keys().current().id().as_bytes()] {
        assert_eq!(read(&forge(&part(&token, 0), &part(&token, 1).to_string(), secret)), Err(BadToken::Forged));
    }
    for alg in ["RS256", "ES256", "EdDSA", "HS384", "HS512", "PS256"] {
        assert!(read(&with_header(|header| header["alg"] = json!(alg))).is_err(), "{alg}");
    }
    for kid in ["", "00000000", "../../dev/null", "' OR 1=1 --", "$ne"] {
        assert_eq!(read(&with_header(|header| header["kid"] = json!(kid))), Err(BadToken::UnknownKey), "{kid}");
    }
    assert!(read(&with_header(|header| header["kid"] = json!({"$ne": null}))).is_err());
    assert!(read(&with_header(|header| drop(header.as_object_mut().unwrap().remove("kid")))).is_err());
    for (name, value) in [
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("crit", json!(["exp"])),
        ("cty", json!("JWT")),
        ("own", json!("x")),
        ("typ", json!("at+jwt")),
    ] {
        assert!(read(&with_header(|header| header[name] = value)).is_err(), "{name}");
    }
}

#[test]
fn h07_h08_the_end_is_a_whole_second_within_the_hour() {
    for exp in ["", "null", "\"1800000900\"", "1800000900.0", "1800000900.5", "-1", "1e300", "true", "[]", "1e9"] {
        assert_eq!(read(&with_claim("exp", exp)), Err(BadToken::Forged), "{exp}");
    }
    for ago in [0, 2, 61, NOW] {
        assert_eq!(read(&with_claim("exp", &(NOW - ago).to_string())), Err(BadToken::Expired), "{ago}");
    }
    assert!(read(&with_claim("exp", &(NOW + 3_600).to_string())).is_ok());
    for ahead in [3_606, 7_200 + 3_600, i64::MAX - NOW] {
        assert_eq!(read(&with_claim("exp", &(NOW + ahead).to_string())), Err(BadToken::OutOfTime), "{ahead}");
    }
    assert_eq!(read(&with_claim("exp", "18446744073709551615")), Err(BadToken::OutOfTime));
    for name in ["nbf", "iat"] {
        assert!(read(&with_claim(name, &(NOW + 5).to_string())).is_ok());
        assert_eq!(read(&with_claim(name, &(NOW + 6).to_string())), Err(BadToken::OutOfTime), "{name}");
        assert_eq!(read(&with_claim(name, "")), Err(BadToken::Forged), "{name}");
    }
}

#[test]
fn h09_another_kind_of_token_is_none() {
    for typ in ["\"refresh\"", "\"ticket\"", "null", ""] {
        assert_eq!(read(&with_claim("typ", typ)), Err(BadToken::Forged), "{typ}");
    }
    let refresh = super::super::refresh::RefreshTokens::new(&keys()).derive(access(NOW).session, 0);
    assert_eq!(read(&refresh), Err(BadToken::Malformed));
}

#[test]
fn h10_h11_claims_are_those_that_were_signed() {
    for (name, value) in [
        ("iss", "\"https://chat.example.org.evil.example\""),
        ("iss", ""),
        ("iss", "null"),
        ("aud", "\"natter2\""),
        ("aud", ""),
        ("aud", "[]"),
        ("sub", "\"root\""),
        ("sub", ""),
        ("sid", ""),
        ("admin", "true"),
    ] {
        assert_eq!(read(&with_claim(name, value)), Err(BadToken::Forged), "{name} {value}");
    }
    let token = good();
    let mut claims = part(&token, 1);
    claims["sub"] = json!("0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22");
    let mut parts: Vec<&str> = token.split('.').collect();
    let changed = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts[1] = &changed;
    assert_eq!(read(&parts.join(".")), Err(BadToken::Forged));
    // The same name twice: whichever a reader picks, it is refused.
    let twice = part(&token, 1).to_string().replacen('{', "{\"sub\":\"0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22\",", 1);
    assert_eq!(read(&forge(&part(&token, 0), &twice, &secret())), Err(BadToken::Forged));
}

#[test]
fn h12_a_token_has_one_spelling() {
    let token = good();
    let parts: Vec<&str> = token.split('.').collect();
    let padded = |i: usize| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(parts[i]).unwrap());
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{token}x"),
        format!("{token} "),
        format!("{token}\0"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{}", parts[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], padded(2)),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][1..]),
        "a".repeat(1 << 20),
        format!("{token}{}", "A".repeat(1 << 20)),
        "é.é.é".to_owned(),
    ] {
        assert!(read(&bad).is_err(), "{}", &bad.chars().take(80).collect::<String>());
    }
    // Each changed character makes it another token, and none of ours.
    for i in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
        assert!(read(&String::from_utf8(bytes).unwrap()).is_err(), "{i}");
    }
}
