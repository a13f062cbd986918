//! Any bytes as TIFF.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read("a.tif", bytes));
