"""What an evening of WhatsApp messages costs a PHP site, with the pipeline and without it."""
