# koine_embed(TARGET ROOM VARIABLE FILE...): the files, one after the other, become `const char* const VARIABLE` of koine::ROOM.
function(koine_embed target room variable)
  set(text "")
  foreach(file IN LISTS ARGN)
    file(READ ${file} piece)
    string(APPEND text "${piece}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  set(made ${CMAKE_CURRENT_BINARY_DIR}/generated/embedded/${variable}.cpp)
  file(WRITE ${made}.tmp "namespace koine::${room} {\nextern const char* const ${variable};\n"
       "const char* const ${variable} = R\"KOINE(${text})KOINE\";\n}  // namespace koine::${room}\n")
  file(COPY_FILE ${made}.tmp ${made} ONLY_IF_DIFFERENT)
  target_sources(${target} PRIVATE ${made})
endfunction()

# koine_pages(TARGET): scripts and styles of the pages that runs leave behind; each script uses only what stands before it at start-up.
function(koine_pages target)
  set(folder src/report/page)
  koine_embed(${target} report kCommonStyle ${folder}/common.css)
  koine_embed(${target} report kSweepStyle ${folder}/sweep.css)
  set(scripts dom data scales figure heat curves parallel pareto languages table point main)
  list(TRANSFORM scripts PREPEND ${folder}/)
  list(TRANSFORM scripts APPEND .js)
  koine_embed(${target} report kSweepScript ${scripts})
endfunction()

# koine_slurm(TARGET): what `koine submit` fills in.
function(koine_slurm target)
  koine_embed(${target} cluster kJobTemplate slurm/job.sbatch)
  koine_embed(${target} cluster kDefaultCluster slurm/clusters/default.yaml)
  koine_embed(${target} cluster kGpuCluster slurm/clusters/gpu.yaml)
endfunction()
