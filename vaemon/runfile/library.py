"""Which HDF5 the run files are written and read by."""

import h5py


def hdf5_version() -> str:
    """The version of the HDF5 library that h5py is built with."""
    return str(h5py.version.hdf5_version)
