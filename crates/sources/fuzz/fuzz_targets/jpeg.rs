//! Any bytes as JPEG.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read("a.jpg", bytes));
