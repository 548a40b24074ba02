//! The parts that pages are put together from: properties in, callbacks out. No part of it talks to the server.

pub mod avatar;
pub mod copy;
pub mod dialog;
pub mod drawing;
pub mod field;
pub mod form;
pub mod icon;
pub mod image;
pub mod memo;
pub mod moment;
pub mod notice;
pub mod spans;
