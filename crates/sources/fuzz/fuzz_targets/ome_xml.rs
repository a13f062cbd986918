//! Any text as the description of a sound TIFF: OME-XML, ImageJ and tifffile's JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read("a.ome.tif", &fuzz::described(bytes)));
