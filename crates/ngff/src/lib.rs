//! OME-NGFF 0.4 and 0.5 on disk: metadata documents, plate, well and image groups, ROI and condition tables.
