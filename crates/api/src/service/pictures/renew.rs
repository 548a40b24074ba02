//! An image from outside is decoded and encoded anew, so that what is kept is pixels and nothing else: no place where a
//! photograph was taken, no script behind the picture, no second file inside the first. Bounded before anything is
//! decoded: by kind, sides, pixels, frames and memory.

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{
    AnimationDecoder, DynamicImage, Frame, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, imageops,
};
use natter_shared::file::ImageKind;
use natter_shared::limits::{
    AVATAR_SIDE, FRAMES_MAX, IMAGE_PIXELS_MAX, IMAGE_SIDE_MAX, KEPT_SIDE_MAX, PREVIEW_SIDE_MAX,
};
use std::io::Cursor;
use std::time::Duration;
use tokio::time::Instant;

/// What a decoder may allocate, in bytes.
const MEMORY: u64 = 256 * 1024 * 1024;
/// An animation that takes longer is given up.
const TIME: Duration = Duration::from_secs(5);
/// JPEG's quality for what is kept and for previews.
const QUALITY: u8 = 88;
const PREVIEW_QUALITY: u8 = 80;
/// A PNG above this size is a photograph, or made smaller; and an image below it, with small sides, is its own preview. In bytes.
const PNG_MAX: usize = 4 * 1024 * 1024;
const SMALL: usize = 160 * 1024;

/// Why an image is not taken, as a sentence for who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadImage {
    #[error("This is no image that can be shown here. PNG, JPEG, GIF and WebP can")]
    Unknown,
    #[error("This image is damaged")]
    Damaged,
    #[error("This image has too many pixels: at most 8192 to a side and 40 million in all")]
    TooManyPixels,
    #[error("This animation is too long: at most 100 frames and 40 million pixels in all")]
    TooManyFrames,
}

impl BadImage {
    /// For the log of events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown kind",
            Self::Damaged => "damaged",
            Self::TooManyPixels => "too many pixels",
            Self::TooManyFrames => "too many frames",
        }
    }
}

/// An image as it is kept.
#[derive(Debug)]
pub struct Renewed {
    pub kind: ImageKind,
    pub bytes: Vec<u8>,
    /// A smaller one for a timeline; `None` where the image itself is small enough.
    pub preview: Option<(ImageKind, Vec<u8>)>,
    /// Width and height in pixels.
    pub size: (u16, u16),
}

impl From<ImageError> for BadImage {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooManyPixels,
            _ => Self::Damaged,
        }
    }
}

/// An image for a message.
pub fn renew(bytes: &[u8]) -> Result<Renewed, BadImage> {
    let format = format(bytes)?;
    if format == ImageFormat::Gif
        && let Some(animation) = animation(bytes)?
    {
        return Ok(animation);
    }
    let (image, lossy) = decode(bytes, format)?;
    let image = within(image, KEPT_SIDE_MAX);
    let (kind, bytes, image) = encode(image, lossy)?;
    let small = image.width().max(image.height()) <= PREVIEW_SIDE_MAX && bytes.len() <= SMALL;
    let preview = if small { None } else { Some(preview(&image)?) };
    Ok(Renewed { kind, bytes, preview, size: size(image.width(), image.height())? })
}

/// A person's picture: the middle of the image, square.
pub fn renew_avatar(bytes: &[u8]) -> Result<Renewed, BadImage> {
    let (image, lossy) = decode(bytes, format(bytes)?)?;
    let image = image.resize_to_fill(AVATAR_SIDE, AVATAR_SIDE, imageops::FilterType::CatmullRom);
    let (kind, bytes, image) = encode(image, lossy)?;
    Ok(Renewed { kind, bytes, preview: None, size: size(image.width(), image.height())? })
}

/// What the first bytes say, whatever the file is called.
fn format(bytes: &[u8]) -> Result<ImageFormat, BadImage> {
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP)) => Ok(format),
        _ => Err(BadImage::Unknown),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(IMAGE_SIDE_MAX);
    limits.max_image_height = Some(IMAGE_SIDE_MAX);
    limits.max_alloc = Some(MEMORY);
    limits
}

fn bounded((width, height): (u32, u32)) -> Result<(), BadImage> {
    let pixels = u64::from(width) * u64::from(height);
    if width == 0 || height == 0 {
        return Err(BadImage::Damaged);
    }
    if width > IMAGE_SIDE_MAX || height > IMAGE_SIDE_MAX || pixels > IMAGE_PIXELS_MAX {
        return Err(BadImage::TooManyPixels);
    }
    Ok(())
}

fn size(width: u32, height: u32) -> Result<(u16, u16), BadImage> {
    let side = |side| u16::try_from(side).map_err(|_| BadImage::TooManyPixels);
    Ok((side(width)?, side(height)?))
}

/// The pixels, upright, eight bits each; and whether they went through a lossy format before.
fn decode(bytes: &[u8], format: ImageFormat) -> Result<(DynamicImage, bool), BadImage> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    bounded(decoder.dimensions())?;
    let upright = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(upright);
    let transparent = image.color().has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX);
    let image = if transparent {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    };
    Ok((image, matches!(format, ImageFormat::Jpeg | ImageFormat::WebP)))
}

fn within(image: DynamicImage, side: u32) -> DynamicImage {
    if image.width().max(image.height()) <= side { image } else { image.thumbnail(side, side) }
}

fn jpeg(image: &DynamicImage, quality: u8) -> Result<Vec<u8>, BadImage> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).encode_image(image)?;
    Ok(out)
}

fn png(image: &DynamicImage) -> Result<Vec<u8>, BadImage> {
    let mut out = Vec::new();
    image.write_with_encoder(PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive))?;
    Ok(out)
}

/// As JPEG what is opaque and was lossy or is large, else as PNG; a PNG that stays too large is made smaller.
fn encode(mut image: DynamicImage, lossy: bool) -> Result<(ImageKind, Vec<u8>, DynamicImage), BadImage> {
    let opaque = !image.color().has_alpha();
    if opaque && lossy {
        return Ok((ImageKind::Jpeg, jpeg(&image, QUALITY)?, image));
    }
    loop {
        let bytes = png(&image)?;
        if bytes.len() <= PNG_MAX || image.width().max(image.height()) <= PREVIEW_SIDE_MAX {
            return Ok((ImageKind::Png, bytes, image));
        }
        if opaque {
            return Ok((ImageKind::Jpeg, jpeg(&image, QUALITY)?, image));
        }
        image = image.thumbnail(image.width() / 2, image.height() / 2);
    }
}

fn preview(image: &DynamicImage) -> Result<(ImageKind, Vec<u8>), BadImage> {
    let small = image.thumbnail(PREVIEW_SIDE_MAX, PREVIEW_SIDE_MAX);
    if small.color().has_alpha() {
        Ok((ImageKind::Png, png(&small)?))
    } else {
        Ok((ImageKind::Jpeg, jpeg(&small, PREVIEW_QUALITY)?))
    }
}

/// A GIF of several frames; `None` if it has but one, and is a picture like any other.
fn animation(bytes: &[u8]) -> Result<Option<Renewed>, BadImage> {
    let begun = Instant::now();
    let mut decoder = GifDecoder::new(Cursor::new(bytes))?;
    decoder.set_limits(limits())?;
    let (width, height) = decoder.dimensions();
    bounded((width, height))?;
    let pixels = u64::from(width) * u64::from(height);
    let mut frames: Vec<Frame> = Vec::new();
    for frame in decoder.into_frames() {
        let frame = frame?;
        let count = u64::try_from(frames.len() + 1).unwrap_or(u64::MAX);
        let long = frames.len() >= FRAMES_MAX || count.saturating_mul(pixels) > IMAGE_PIXELS_MAX;
        if long || begun.elapsed() > TIME {
            return Err(BadImage::TooManyFrames);
        }
        frames.push(frame);
    }
    if frames.len() < 2 {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut out, 10);
    encoder.set_repeat(Repeat::Infinite)?;
    encoder.encode_frames(frames)?;
    drop(encoder);
    Ok(Some(Renewed { kind: ImageKind::Gif, bytes: out, preview: None, size: size(width, height)? }))
}

#[cfg(test)]
mod tests;
