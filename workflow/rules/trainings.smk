# How a training hands on what it made, and what is said of trainings.
#
# Every training has three folders. In RUN/.training the command keeps its weights, its losses and
# the state that it resumes from; Snakemake never removes them. RUN/.trained holds the outputs of
# the training job, which are there only after it ended well. RUN itself holds the weights that all
# other rules read, until new ones take their place.
# The three share their files by hard links, so that nothing is stored twice.
TRAINING, TRAINED_HERE = ".training", ".trained"


def trained(path):
    """The output of the training job that becomes the result `path`."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{TRAINED_HERE}/{name}"


def kept_by_command(wildcards, output):
    """The files that the command writes."""
    return [Path(file).parents[1] / TRAINING / Path(file).name for file in output]


def in_place(wildcards, output):
    """The results of the last training that ended well, where there was one."""
    return [Path(file).parents[1] / Path(file).name for file in output]


def folder_of(wildcards, output):
    return Path(output[0]).parent


# The threads of a training on this machine; elsewhere as many as the job has cores.
WIDE = "".join(
    f"{library}_NUM_THREADS=${{{{TRAINING_THREADS:-{{threads}}}}}} "
    for library in ("OMP", "MKL", "OPENBLAS")
)
# A training that failed may have left its losses beside the weights of the one before.
RECALL = (
    "if cmp -s {params.kept[0]:q} {params.placed[0]:q}"
    " && ! cmp -s {params.kept[1]:q} {params.placed[1]:q};"
    " then cp {params.placed[1]:q} {params.kept[1]:q}; fi 2> {log:q}; "
)
# The time says when the job ended, even where the command found its weights up to date.
HAND_ON = (
    " && {{ ln -f {params.kept:q} {params.folder:q} 2> /dev/null"
    " || cp {params.kept:q} {params.folder:q}; }}"
    " && touch {output:q}"
)
PUT_IN_PLACE = (
    "{{ ln -f {input.files:q} {params.folder:q} 2> /dev/null"
    " || cp {input.files:q} {params.folder:q}; }} 2> {log:q}"
)


def schedule_file(name):
    """The schedule as an input file, where it is one: an edited schedule trains again."""
    return [name] if Path(name).suffix in (".yaml", ".yml") else []


def network_schedule(classifier):
    """The schedule of a network: the one of all, or its own."""
    return HSI["schedules"].get(classifier, HSI["schedule"])


def schedule_of(wildcards):
    """The schedule of a job's network."""
    return network_schedule(wildcards.classifier)


def trained_note(section):
    """A sentence on the schedules of a section's networks, in a list; none without networks."""
    if section == "restore":
        chosen = {name: (RESTORE["schedule"], "paper") for name in RESTORE["models"]}
    else:
        from hsi.classifiers.catalogue import entry

        chosen = {
            name: (network_schedule(name), entry(name).published_schedule)
            for name in HSI["classifiers"]
            if name in NETWORKS
        }
    if not chosen:
        return []
    schedules = dict.fromkeys(schedule for schedule, _ in chosen.values())
    if len(schedules) > 1:
        own = ", ".join(
            f"{name} with {schedule}" for name, (schedule, _) in chosen.items()
        )
        named = f"schedules of their own: {own}"
    else:
        (named,) = schedules
        published = all(schedule == known for schedule, known in chosen.values())
        named = f"the schedule {named}" + ", which is not the published one" * (
            not published
        )
    return [f"Networks trained here learned with {named}."]
