"""Run folders and their HDF5 segments; the only room that imports h5py."""
