"""`vaemon doctor`: what vaemon needs of a machine, looked at one by one."""
