//! The init side: tables to tiles, filters, tiled images, registration, plate set-up, the hand-over document.
