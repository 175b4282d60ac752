/** Reports: events and results as text. */
@NullMarked
package dev.nibble.cli.report;

import org.jspecify.annotations.NullMarked;
