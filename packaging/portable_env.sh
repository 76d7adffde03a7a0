# shellcheck shell=sh
# Sourced in the unpacked bundle: its libraries, its mpirun and Open MPI's plugins are found where it lies.
#   PORTABLE: the bundle's folder; CUDA_LIBS: where CUDA's and NCCL's libraries lie, where the loader does not know
export LD_LIBRARY_PATH="$PORTABLE/lib${CUDA_LIBS:+:$CUDA_LIBS}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export PATH="$PORTABLE/bin:$PATH" OPAL_PREFIX="$PORTABLE" OPAL_PKGDATADIR="$PORTABLE/share/openmpi"
export OMPI_MCA_mca_base_component_path="$PORTABLE/lib/openmpi" PMIX_MCA_pmix_mca_base_component_path="$PORTABLE/lib/pmix"
export PMIX_MCA_mca_base_component_path="$PORTABLE/lib/pmix" OMPI_MCA_plm=isolated OMPI_MCA_mca_base_component_show_load_errors=0
