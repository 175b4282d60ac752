package dev.nibble.cli;

import dev.nibble.errors.Remedy;

/** Remedies worded with the keys of recipes and the options of the command line. */
final class RecipeWords {
  private RecipeWords() {}

  static String of(Remedy remedy) {
    return switch (remedy) {
      case AUTOMATIC_ACTIVATIONS -> "Write bf16: auto";
      case AUTOMATIC_PRODUCTS -> "Write cublas: auto";
      case AUTOMATIC_DEVICE_MEMORY -> "Write device_memory: auto";
      case OWN_PRODUCTS -> "Write cublas: none for Nibble's own matrix products";
      case LESS_DEVICE_MEMORY_OR_OWN_PRODUCTS ->
          "Lower micro_batch_size or sequence_len, or write cublas: none";
      case LESS_DEVICE_MEMORY ->
          "Lower micro_batch_size or sequence_len, or end other programs that hold memory of the device (nvidia-smi lists them)";
      case LESS_HOST_MEMORY ->
          "Lower micro_batch_size or sequence_len, or give the process more memory";
      case FEWER_PAGES_ON_DISK ->
          "Free some space, choose another output_dir, or raise paged_optimizer_memory to keep less of it on the disk";
      case WAIT_FOR_EACH_KERNEL -> "Run again with debug: sync to find out which";
      case OTHER_VALIDATION_SIZE -> "Change val_set_size";
      case LONGER_LIMIT_OR_OTHER_FORMAT ->
          "Raise sequence_len, or check the columns and the type of the dataset";
      case LONGER_LIMIT_OR_SHORTER_SAMPLES ->
          "Raise sequence_len, shorten the row, or set excess_length_strategy to drop or truncate";
      case OTHER_KIND_OF_ROWS ->
          "Set the dataset's type to what its rows are: alpaca (instruction, input, output), prompt_completion (prompt, completion), messages (messages), sharegpt (conversations) or completion (text); or name its columns with field_instruction, field_input, field_output, field_messages or field_text";
      case REMOVE_OR_FILL_ROW -> "Remove the row or fill it";
      case MEND_OR_SKIP_ROWS ->
          "Mend or remove such rows, or set max_bad_rows to how many may be left out, such as 0.01 for one in a hundred";
      case REMOVE_MEDIA -> "Nibble trains on text: remove the column, to train on the text alone";
      case CONVERSATIONS_OR_REMOVE_COLUMN ->
          "Set chat_template, which has a place for a system prompt; or write earlier turns as messages (type: messages); or remove the column";
      case GIVE_CHAT_TEMPLATE ->
          "Base models often have none: set chat_template in the recipe, to chatml or to the path of a .jinja file";
      case GIVE_CHAT_TEMPLATE_FILE ->
          "Save the template as a .jinja file and give its path as chat_template";
      case MAP_ROLES -> "Map other names with the key roles";
      case ASSISTANT_ONLY -> "Set roles_to_train to [assistant], or leave it out";
      case LAST_ANSWER_ONLY ->
          "Use a template that marks answers with {% generation %}, or set mask_history: true to train on the last answer only";
      case SHOW_SAMPLES -> "nibble preview shows which part of the samples is trained on";
      case OTHER_FOLDER -> "Choose an output_dir that is new or empty";
      case WAIT_OR_OTHER_FOLDER -> "Wait until that run has ended, or choose another output_dir";
      case RESTORE_FILES_OR_OVERWRITE ->
          "Put the files back as they were; or --overwrite replaces the run; or choose another output_dir";
      case ORIGINAL_BASE ->
          "Put its files back as they were, or give the model that the run was trained on with --set base_model=PATH";
      case MAKE_ROOM_AND_RESUME -> "Free some space and resume from the latest checkpoint";
      case RESUME_OR_OVERWRITE ->
          "--resume continues from its latest checkpoint; --overwrite replaces it with a new run; or choose another output_dir";
      case OVERWRITE ->
          "--overwrite replaces that run with a new one; or choose another output_dir";
      case RESUME_ITS_RECIPE_OR_OVERWRITE ->
          "Resume with recipe.resolved.yaml from that folder; --overwrite replaces that run with a new one; or choose another output_dir";
      case START_ANEW -> "Run it without --resume";
      case RESUME_SAME_SETTINGS ->
          "Resume with the recipe of the checkpoint, or start a new run in another output_dir";
      case OTHER_SAMPLES_OR_MODEL ->
          "Leave out the samples named. If all are named, look for damaged weights in base_model, or set bf16: false";
      case OTHER_SAMPLES_OR_GENTLER_TRAINING ->
          "Leave out the samples named, or lower learning_rate or max_grad_norm, or use more warm-up. To continue anyway, resume with a larger max_skipped_steps";
      case GENTLER_TRAINING ->
          "A lower learning_rate, more warm-up or a smaller max_grad_norm often helps";
      case OVERWRITE_EXPORT -> "--overwrite replaces it; or choose another place";
      case CLEAR_CONVERSATION ->
          "/reset starts a new conversation, and /save FILE keeps this one; or ask less";
      case EXPORT_MERGED -> "Export the merged model instead, with --merged or --gguf";
    };
  }
}
