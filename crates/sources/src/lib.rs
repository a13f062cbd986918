//! Opens image files: shape, data type, pixel size, and pixels of a region.
