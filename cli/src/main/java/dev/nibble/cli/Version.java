package dev.nibble.cli;

import dev.nibble.trainer.run.Build;
import picocli.CommandLine.IVersionProvider;

/** The text of {@code nibble --version}. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    Build build = Build.current();
    String commit =
        build.commit().equals("unknown")
            ? ""
            : " (" + build.commit().replaceFirst("^(\\p{XDigit}{12})\\p{XDigit}*", "$1") + ")";
    return new String[] {"Nibble " + build.version() + commit, "Java " + Runtime.version()};
  }
}
