package dev.nibble.errors;

/**
 * What would avoid an error, where it is a setting that somebody outside the library made. The
 * library does not know what the setting is called there; whoever does has words of its own for
 * each of these.
 */
public enum Remedy {
  /** Activations in a type that the kernel set cannot compute in. */
  AUTOMATIC_ACTIVATIONS("Let the kernel set choose the type of its activations"),
  /** A cuBLAS library for a kernel set that uses none. */
  AUTOMATIC_PRODUCTS("Let the kernel set choose its matrix products"),
  /** An owner of device memory for a kernel set that has no device. */
  AUTOMATIC_DEVICE_MEMORY("Let the kernel set choose where its memory comes from"),
  /** cuBLAS that does not work. */
  OWN_PRODUCTS("Use Nibble's own matrix products instead of cuBLAS"),
  /** cuBLAS without the device memory it needs. */
  LESS_DEVICE_MEMORY_OR_OWN_PRODUCTS(
      "Train on fewer or shorter samples at a time, or use Nibble's own matrix products"),
  /** A device without enough free memory. */
  LESS_DEVICE_MEMORY(
      "Train on fewer or shorter samples at a time, or end other programs that hold memory of the"
          + " device (nvidia-smi lists them)"),
  /** A host without enough free memory. */
  LESS_HOST_MEMORY("Train on fewer or shorter samples at a time, or give the process more memory"),
  /** A disk without room for the optimizer's pages. */
  FEWER_PAGES_ON_DISK(
      "Make room, put the pages elsewhere, or let more of the optimizer's state stay in memory"),
  /** A kernel that failed, which the device tells only later. */
  WAIT_FOR_EACH_KERNEL("Run again waiting for each kernel to learn which"),

  /** A held-out part that leaves nothing on one side. */
  OTHER_VALIDATION_SIZE("Hold out another number of samples"),
  /** No sample of a dataset is left to train on. */
  LONGER_LIMIT_OR_OTHER_FORMAT(
      "Allow longer samples, or look at the columns and the format of the rows"),
  /** A sample over the limit, where that is an error. */
  LONGER_LIMIT_OR_SHORTER_SAMPLES(
      "Allow longer samples, shorten the row, or drop or truncate such samples"),
  /** Rows without a column that their format needs. */
  OTHER_KIND_OF_ROWS(
      "Choose the format that goes with these columns, or say which of them hold what"),
  /** A row without a value that others have. */
  REMOVE_OR_FILL_ROW("Remove the row or fill it"),
  /** Rows that cannot be used. */
  MEND_OR_SKIP_ROWS("Mend or remove such rows, or allow a number of them to be left out"),
  /** Rows with pictures or sound. */
  REMOVE_MEDIA("Nibble trains on text: remove the column, to train on the text alone"),
  /** Rows of one question with a system prompt or earlier turns. */
  CONVERSATIONS_OR_REMOVE_COLUMN(
      "Give a chat template, make conversations of the rows, or remove the column"),
  /** A model without a chat template. */
  GIVE_CHAT_TEMPLATE("Base models often have none: give a shipped template or a file"),
  /** A model with several chat templates, none of them the default. */
  GIVE_CHAT_TEMPLATE_FILE("Save the one to use as a .jinja file and give that"),
  /** A sender of messages that no role is known for. */
  MAP_ROLES("Map the name to a role"),
  /** A template that marks only what the assistant says. */
  ASSISTANT_ONLY("Train on the assistant's messages alone"),
  /** A template that rewrites earlier answers. */
  LAST_ANSWER_ONLY(
      "Use a template that marks answers with {% generation %}, or train on the last answer only"),
  /** Samples in which nothing is trained on. */
  SHOW_SAMPLES("Look at which part of the samples is trained on"),

  /** A folder that a run cannot be put into. */
  OTHER_FOLDER("Choose a folder that is new or empty"),
  /** A folder that another run writes into. */
  WAIT_OR_OTHER_FOLDER("Wait until that run has ended, or choose another folder"),
  /** A run whose inputs have changed, and a wish to resume. */
  RESTORE_FILES_OR_OVERWRITE(
      "Put the files back as they were, overwrite the run, or choose another folder"),
  /** A trained adapter and a base model that it was not trained on. */
  ORIGINAL_BASE("Give the base model that the run was trained on"),
  /** A disk without room for a checkpoint. */
  MAKE_ROOM_AND_RESUME(
      "Make room, or choose another folder for the run, and resume from the latest checkpoint"),
  /** A folder with the same run, or a part of it. */
  RESUME_OR_OVERWRITE("Resume it, overwrite it, or choose another folder"),
  /** A folder with another run. */
  OVERWRITE("Overwrite it, or choose another folder"),
  /** A folder with another run, and a wish to resume. */
  RESUME_ITS_RECIPE_OR_OVERWRITE(
      "Resume with that run's own settings, overwrite it, or choose another folder"),
  /** A folder without a run, and a wish to resume. */
  START_ANEW("Start a new run there"),
  /** A checkpoint of another run. */
  RESUME_SAME_SETTINGS(
      "Resume with the settings that the checkpoint was made with, or start a new run in another"
          + " folder"),
  /** A loss or gradient that is not finite before anything was learned. */
  OTHER_SAMPLES_OR_MODEL(
      "Leave out the samples named, or, where all are named, look for damaged weights in the base"
          + " model or compute in 32 bits"),
  /** More losses or gradients that are not finite than a run may skip. */
  OTHER_SAMPLES_OR_GENTLER_TRAINING(
      "Leave out the samples named, or train with a lower learning rate, more warm-up or a smaller"
          + " largest gradient norm; a resumed run may skip more steps"),
  /** Weights that an update made infinite. */
  GENTLER_TRAINING(
      "A lower learning rate, more warm-up or a smaller largest gradient norm often helps"),

  /** A place that an earlier export was written to. */
  OVERWRITE_EXPORT("Overwrite it, or choose another place"),

  /** A conversation that is longer than the model takes. */
  CLEAR_CONVERSATION("Clear the conversation, or ask less"),

  /** An adapter with parts that a GGUF adapter has no place for. */
  EXPORT_MERGED("Export the merged model instead");

  private final String words;

  Remedy(String words) {
    this.words = words;
  }

  /** The remedy as a sentence without a full stop, in the library's words. */
  public String words() {
    return words;
  }

  /** A problem and this remedy, as the two sentences of a message. */
  String after(String problem) {
    return joined(problem, words);
  }

  static String joined(String problem, String remedy) {
    if (problem.endsWith("\n")) {
      return problem + remedy;
    }
    boolean ended = problem.endsWith(".") || problem.endsWith("?");
    return problem + (ended ? " " : ". ") + remedy;
  }
}
