//! The compute side: plans and executes the chunk-parallel stitching and writing of one image and its pyramid.
