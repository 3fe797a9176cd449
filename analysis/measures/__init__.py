"""One equation, one function, one citation; pure numpy, and scipy for the measures of features.

Knows no files, runs, networks or tables: arrays go in, arrays and numbers come out. `k` is the number of
latents, `n` the number of samples. Sources cited by short name:

    Asperti & Trentin 2020   Balancing Reconstruction Error and Kullback-Leibler Divergence in Variational
                             Autoencoders, IEEE Access 8, doi:10.1109/ACCESS.2020.3034828
    Bińkowski et al. 2018    Demystifying MMD GANs, ICLR, arXiv:1801.01401
    Bonheme & Grzes 2021     Be More Active! Understanding the Differences between Mean and Sampled Representations of
                             Variational Autoencoders, arXiv:2109.12679
    Chan et al. 1979         Updating Formulae and a Pairwise Algorithm for Computing Sample Variances,
                             Stanford STAN-CS-79-773
    Chan et al. 1983         Algorithms for Computing the Sample Variance: Analysis and Recommendations,
                             The American Statistician 37
    Chong & Forsyth 2020     Effectively Unbiased FID and Inception Score and Where to Find Them, CVPR,
                             arXiv:1911.07023
    Dowson & Landau 1982     The Fréchet Distance between Multivariate Normal Distributions, Journal of
                             Multivariate Analysis 12
    Gretton et al. 2012      A Kernel Two-Sample Test, JMLR 13
    Gustavson et al. 2010    Rectangular Full Packed Format for Cholesky's Algorithm, ACM TOMS 37(2)
    Heusel et al. 2017       GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium,
                             NeurIPS, arXiv:1706.08500
    Higham 1990              Analysis of the Cholesky Decomposition of a Semi-definite Matrix, in Reliable
                             Numerical Computation
    Kynkäänniemi et al. 2019 Improved Precision and Recall Metric for Assessing Generative Models, NeurIPS,
                             arXiv:1904.06991
    Lucas et al. 2019        Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse, NeurIPS 32,
                             arXiv:1911.02469
    Pébay 2008               Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order
                             Statistical Moments, Sandia SAND2008-6212
    Rolinek et al. 2019      Variational Autoencoders Pursue PCA Directions (by Accident), CVPR, arXiv:1812.06775
    Watanabe 1960            Information Theoretical Analysis of Multivariate Correlation, IBM Journal of Research and
                             Development 4 (1)
"""
