//! What comes out of images from outside: pixels, and nothing that was around them.

use super::*;
use image::codecs::webp::WebPEncoder;
use image::{Delay, Rgb, RgbImage, Rgba, RgbaImage};

fn colours(width: u32, height: u32) -> DynamicImage {
    let shade = |n: u32| u8::try_from(n % 251).unwrap();
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| Rgb([shade(x * 3), shade(y * 5), shade(x + y)])))
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn gif(frames: u32, width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut out, 30);
    for n in 0..frames {
        let shade = u8::try_from(n % 250).unwrap();
        let image = RgbaImage::from_pixel(width, height, Rgba([shade, 90, 200, 255]));
        encoder.encode_frame(Frame::from_parts(image, 0, 0, Delay::from_numer_denom_ms(40, 1))).unwrap();
    }
    drop(encoder);
    out
}

/// A JPEG with a marker of application data right behind its beginning.
fn with_segment(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, data, &jpeg[2..]].concat()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn each_kind_is_kept_as_one_that_shows_everywhere() {
    let image = colours(300, 200);
    for (format, kept) in
        [(ImageFormat::Png, ImageKind::Png), (ImageFormat::Jpeg, ImageKind::Jpeg), (ImageFormat::Gif, ImageKind::Png)]
    {
        let renewed = renew(&written(&image, format)).unwrap();
        assert_eq!((renewed.kind, renewed.size), (kept, (300, 200)), "{format:?}");
        assert!(renewed.preview.is_none(), "small enough for a timeline: {format:?}");
        let back = image::load_from_memory(&renewed.bytes).unwrap();
        assert_eq!((back.width(), back.height()), (300, 200));
    }
    let mut webp = Vec::new();
    image.write_with_encoder(WebPEncoder::new_lossless(&mut webp)).unwrap();
    assert_eq!(renew(&webp).unwrap().kind, ImageKind::Jpeg);
}

#[test]
fn transparent_pixels_stay_transparent() {
    let image = RgbaImage::from_fn(40, 40, |x, _| Rgba([200, 10, 10, if x < 20 { 0 } else { 255 }]));
    let renewed = renew(&written(&DynamicImage::ImageRgba8(image), ImageFormat::Png)).unwrap();
    assert_eq!(renewed.kind, ImageKind::Png);
    let back = image::load_from_memory(&renewed.bytes).unwrap().to_rgba8();
    assert_eq!((back.get_pixel(0, 0).0[3], back.get_pixel(39, 0).0[3]), (0, 255));
}

#[test]
fn a_large_image_gets_a_preview_and_a_very_large_one_gets_smaller() {
    let renewed = renew(&written(&colours(5_000, 1_000), ImageFormat::Jpeg)).unwrap();
    assert_eq!(renewed.size, (4_096, 819));
    let (kind, preview) = renewed.preview.unwrap();
    assert_eq!(kind, ImageKind::Jpeg);
    let preview = image::load_from_memory(&preview).unwrap();
    assert_eq!((preview.width(), preview.height()), (720, 144));
}

#[test]
fn nothing_but_pixels_is_kept() {
    let plain = written(&colours(64, 48), ImageFormat::Jpeg);
    let exif = [
        b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01".as_slice(),
        // Orientation: turned by 90 degrees.
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
        b"GPS 52.5163N <script>alert(1)</script>",
    ]
    .concat();
    let sent = with_segment(&with_segment(&plain, 0xE1, &exif), 0xFE, b"<img src=x onerror=alert(2)>");
    let sent = [sent, b"PK\x03\x04 a second file behind the picture".to_vec()].concat();
    assert!(holds(&sent, b"GPS") && holds(&sent, b"onerror"));
    let renewed = renew(&sent).unwrap();
    for secret in [b"GPS".as_slice(), b"Exif", b"script", b"onerror", b"second file"] {
        assert!(!holds(&renewed.bytes, secret));
    }
    assert_eq!(renewed.size, (48, 64), "turned as the camera said");
}

#[test]
fn an_animation_stays_one_within_bounds() {
    let renewed = renew(&gif(5, 60, 40)).unwrap();
    assert_eq!((renewed.kind, renewed.size), (ImageKind::Gif, (60, 40)));
    let frames = GifDecoder::new(Cursor::new(&renewed.bytes)).unwrap().into_frames().count();
    assert_eq!(frames, 5);
    assert!(renew(&gif(100, 8, 8)).is_ok());
    assert_eq!(renew(&gif(101, 8, 8)).unwrap_err(), BadImage::TooManyFrames);
    assert_eq!(renew(&gif(30, 1_500, 1_000)).unwrap_err(), BadImage::TooManyFrames, "45 million pixels in all");
}

#[test]
fn what_is_no_image_is_refused() {
    let png = written(&colours(30, 30), ImageFormat::Png);
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    for (bytes, why) in [
        (b"".as_slice(), BadImage::Unknown),
        (svg, BadImage::Unknown),
        (b"<!doctype html><title>x</title>", BadImage::Unknown),
        (b"%PDF-1.7", BadImage::Unknown),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", BadImage::Unknown),
        (&png[..png.len() / 2], BadImage::Damaged),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", BadImage::Damaged),
        (b"GIF89a/*", BadImage::Damaged),
        (b"RIFF\0\0\0\0WEBPVP8 ", BadImage::Damaged),
        (b"\xFF\xD8\xFF\xE0", BadImage::Damaged),
    ] {
        assert_eq!(renew(bytes).unwrap_err(), why, "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(renew_avatar(bytes).unwrap_err(), why);
    }
    let mut wrong = png.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 0x55;
    assert!(renew(&wrong).is_err(), "a check sum that does not fit");
}

/// The head of a PNG that says it is very large, and has nothing of it.
fn head_of_png(width: u32, height: u32) -> Vec<u8> {
    let mut png = written(&colours(1, 1), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    png
}

#[test]
fn a_flood_of_pixels_is_refused_by_what_the_head_says() {
    for (width, height) in [(65_500, 65_500), (8_193, 10), (10, 8_193), (8_000, 5_001), (u32::MAX, 1)] {
        let refused = renew(&head_of_png(width, height)).unwrap_err();
        assert!(matches!(refused, BadImage::TooManyPixels | BadImage::Damaged), "{width} x {height}: {refused:?}");
    }
    assert_eq!(renew(&head_of_png(8_192, 4_882)).unwrap_err(), BadImage::Damaged, "39 993 344 pixels are decoded");
    assert_eq!(renew(&head_of_png(8_192, 4_883)).unwrap_err(), BadImage::TooManyPixels);
}

#[test]
fn a_persons_picture_is_the_middle_of_it() {
    let image =
        RgbImage::from_fn(600, 200, |x, _| Rgb(if (200..400).contains(&x) { [0, 200, 0] } else { [200, 0, 0] }));
    let renewed = renew_avatar(&written(&DynamicImage::ImageRgb8(image), ImageFormat::Png)).unwrap();
    assert_eq!(renewed.size, (256, 256));
    let back = image::load_from_memory(&renewed.bytes).unwrap().to_rgb8();
    assert!([(8, 8), (247, 247), (128, 128)].iter().all(|(x, y)| back.get_pixel(*x, *y).0[1] > 150));
}
