//! The Rust types that pixels can have.

pub use ome_zarr_convert_geometry::PixelType;

/// A Rust type whose arrays are images: one for every [`PixelType`].
pub trait Pixel: bytemuck::NoUninit + Send + Sync {
    /// The pixel type it stands for.
    const TYPE: PixelType;
}

macro_rules! pixels {
    ($($rust:ty => $kind:ident),*) => { $(impl Pixel for $rust { const TYPE: PixelType = PixelType::$kind; })* };
}
pixels!(bool => Bool, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32,
    u64 => UInt64, f32 => Float32, f64 => Float64);
