"""One equation, one function, one citation; pure numpy.

Knows no files, runs, networks or tables: arrays go in, arrays and numbers come out. `k` is the number of
latents, `n` the number of samples. Sources cited by short name:

    Asperti & Trentin 2020   Balancing Reconstruction Error and Kullback-Leibler Divergence in Variational
                             Autoencoders, IEEE Access 8, doi:10.1109/ACCESS.2020.3034828
    Chan et al. 1979         Updating Formulae and a Pairwise Algorithm for Computing Sample Variances,
                             Stanford STAN-CS-79-773
"""
