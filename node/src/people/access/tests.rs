//! Every rule, for every role and every relation to a case.
