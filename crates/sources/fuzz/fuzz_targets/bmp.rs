//! Any bytes as BMP.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read("a.bmp", bytes));
