//! Images to be sent, and the form that sends one.

use super::{Answer, Person, client_id};
use image::{ImageFormat, Rgb, RgbImage};
use natter_shared::entry::Entry;
use natter_shared::file::Uploaded;
use natter_shared::id::{FileId, RoomId};
use natter_shared::path;
use reqwest::Method;
use serde_json::json;
use std::io::Cursor;

/// A PNG of that size in which no two neighbours are alike.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let shade = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 251).unwrap();
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x, y), shade(y, x), 90]));
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

/// A form with one file, as a browser sends it: its content type, and its bytes.
pub fn form(field: &str, filename: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    let border = "----border7MA4YWxk";
    let head = format!(
        "--{border}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{filename}\"\r\n\
         Content-Type: image/png\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, format!("\r\n--{border}--\r\n").as_bytes()].concat();
    (format!("multipart/form-data; boundary={border}"), body)
}

impl Person {
    /// Sends bytes that are no JSON.
    pub async fn sends(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let request = self.http.request(method, format!("http://{}{path}", self.address)).bearer_auth(&self.token);
        let request = request.header("content-type", content_type).body(body);
        Answer::of(request.send().await.expect("the server answers")).await
    }

    pub async fn tries_to_upload(&self, bytes: &[u8]) -> Answer {
        let (content_type, body) = form("file", "a picture.png", bytes);
        self.sends(Method::POST, path::FILES, &content_type, body).await
    }

    pub async fn uploads(&self, bytes: Vec<u8>) -> Uploaded {
        self.tries_to_upload(&bytes).await.expect(201).read()
    }

    pub async fn tries_to_show(&self, room: RoomId, images: &[FileId], body: &str) -> Answer {
        let form = json!({"client_id": client_id(), "body": body, "attachments": images});
        self.post(&path::messages(room), &form).await
    }

    pub async fn shows(&self, room: RoomId, images: &[FileId], body: &str) -> Entry {
        self.tries_to_show(room, images, body).await.expect(201).read()
    }

    /// An image as a browser reads it: the answer, and its bytes.
    pub async fn looks_at(
        &self,
        path: &str,
        known: Option<&str>,
    ) -> (reqwest::StatusCode, reqwest::header::HeaderMap, Vec<u8>) {
        let mut request = self.http.get(format!("http://{}{path}", self.address)).bearer_auth(&self.token);
        if let Some(tag) = known {
            request = request.header("if-none-match", tag);
        }
        let answer = request.send().await.expect("the server answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.bytes().await.unwrap().to_vec())
    }
}
