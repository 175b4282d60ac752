package dev.nibble.cli;

import dev.nibble.trainer.run.Build;
import picocli.CommandLine.IVersionProvider;

/** What {@code nibble --version} prints. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    Build build = Build.current();
    String commit = build.commit().equals("unknown") ? "" : " (" + build.commit() + ")";
    return new String[] {"Nibble " + build.version() + commit, "Java " + Runtime.version()};
  }
}
