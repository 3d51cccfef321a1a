/**
 * What the `-publish-` resources of states from before 28 November 2026 run where they are deleted before an `up` could give
 * them the text of today. May go once no `pulumi stack export` names this file any more.
 */
import "../../../bin/publish";
