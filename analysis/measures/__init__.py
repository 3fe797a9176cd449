"""One equation, one function, one citation; pure numpy.

Knows no files, runs, networks or tables: arrays go in, arrays and numbers come out. `k` is the number of
latents, `n` the number of samples. Sources cited by short name:

    Asperti & Trentin 2020   Balancing Reconstruction Error and Kullback-Leibler Divergence in Variational
                             Autoencoders, IEEE Access 8, doi:10.1109/ACCESS.2020.3034828
    Bonheme & Grzes 2021     Be More Active! Understanding the Differences between Mean and Sampled Representations of
                             Variational Autoencoders, arXiv:2109.12679
    Chan et al. 1979         Updating Formulae and a Pairwise Algorithm for Computing Sample Variances,
                             Stanford STAN-CS-79-773
    Lucas et al. 2019        Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse, NeurIPS 32,
                             arXiv:1911.02469
    Pébay 2008               Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order
                             Statistical Moments, Sandia SAND2008-6212
    Rolinek et al. 2019      Variational Autoencoders Pursue PCA Directions (by Accident), CVPR, arXiv:1812.06775
    Watanabe 1960            Information Theoretical Analysis of Multivariate Correlation, IBM Journal of Research and
                             Development 4 (1)
"""
